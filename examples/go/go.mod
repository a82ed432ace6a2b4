module example/orders

go 1.19

require testfleet v0.0.0

replace testfleet => ../../clients/go
