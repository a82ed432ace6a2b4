package testfleet

import "os"

var terminate = os.Kill
