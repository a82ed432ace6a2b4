module testfleet

go 1.19
