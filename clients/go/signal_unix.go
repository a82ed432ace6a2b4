//go:build !windows

package testfleet

import "syscall"

const terminate = syscall.SIGTERM
