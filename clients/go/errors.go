package testfleet

import (
	"encoding/json"
	"strings"
)

// Error is a failure that a person can fix. docs/failures.md lists the codes.
type Error struct {
	// Code is stable. It is empty for a mistake in testfleet itself.
	Code    string
	Message string
	Hint    string
	// Details has all fields of the failure as the command gives them, such as `server` and `bundle`.
	Details map[string]any
	// text is what the command prints, without its first word.
	text         string
	isLenderGone bool
}

// Error returns the message and, below it, the hint: what the command prints after "error: ".
func (e *Error) Error() string {
	if e.text != "" {
		return e.text
	}
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + "\nhint: " + e.Hint
}

// readError reads the `error` of a document or of an answer. `told` is what the command has printed about it.
func readError(raw json.RawMessage, told string) *Error {
	failure := &Error{Message: "testfleet failed without a message"}
	failure.text = strings.TrimRight(strings.TrimPrefix(told, "error: "), "\n")
	var details map[string]any
	if json.Unmarshal(raw, &details) != nil {
		return failure
	}
	failure.Details = details
	for name, field := range map[string]*string{"code": &failure.Code, "message": &failure.Message, "hint": &failure.Hint} {
		if text, isText := details[name].(string); isText {
			*field = text
		}
	}
	return failure
}

func tooOld(missing string) *Error {
	return &Error{
		Message: "this testfleet is too old: the answer of `share` has no `" + missing + "`",
		Hint:    "Install the testfleet of the same release.",
	}
}
