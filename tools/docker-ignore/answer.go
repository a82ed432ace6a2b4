// Prints for each line {"text": …, "path": …} the decision of Docker's own matcher: "ignored", "kept" or "error".
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/patternmatcher"
)

type question struct {
	Text string `json:"text"`
	Path string `json:"path"`
}

// readAll behaves like ignorefile.ReadAll of patternmatcher 0.6; Debian 12 has 0.5, which lacks that package.
func readAll(text string) ([]string, error) {
	var patterns []string
	scanner := bufio.NewScanner(strings.NewReader(text))
	for number := 0; scanner.Scan(); number++ {
		line := scanner.Bytes()
		if number == 0 {
			line = bytes.TrimPrefix(line, []byte{0xEF, 0xBB, 0xBF})
		}
		pattern := string(line)
		if strings.HasPrefix(pattern, "#") {
			continue
		}
		pattern = strings.TrimSpace(pattern)
		if pattern == "" {
			continue
		}
		isException := pattern[0] == '!'
		if isException {
			pattern = strings.TrimSpace(pattern[1:])
		}
		if len(pattern) > 0 {
			pattern = filepath.ToSlash(filepath.Clean(pattern))
			if len(pattern) > 1 && pattern[0] == '/' {
				pattern = pattern[1:]
			}
		}
		if isException {
			pattern = "!" + pattern
		}
		patterns = append(patterns, pattern)
	}
	return patterns, scanner.Err()
}

// isBad says whether the matcher refuses a pattern. It notices some only when it compares a path with them.
func isBad(pattern string) bool {
	cleaned := filepath.Clean(strings.TrimSpace(pattern))
	if len(cleaned) > 1 && cleaned[0] == '!' {
		cleaned = cleaned[1:]
	}
	if strings.HasPrefix(cleaned, "!") {
		return false
	}
	_, err := patternmatcher.MatchesOrParentMatches("a", []string{cleaned})
	return err != nil
}

func answer(asked question) string {
	patterns, err := readAll(asked.Text)
	if err != nil {
		return "error"
	}
	for _, pattern := range patterns {
		if isBad(pattern) {
			return "error"
		}
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return "error"
	}
	isIgnored, err := matcher.MatchesOrParentMatches(asked.Path)
	if err != nil {
		return "error"
	}
	if isIgnored {
		return "ignored"
	}
	return "kept"
}

func main() {
	questions := json.NewDecoder(bufio.NewReader(os.Stdin))
	answers := json.NewEncoder(os.Stdout)
	for {
		var asked question
		if questions.Decode(&asked) != nil {
			return
		}
		if err := answers.Encode(answer(asked)); err != nil {
			panic(err)
		}
	}
}
