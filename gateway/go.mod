module oms.internal/gateway

go 1.26.0

replace oms.internal/libs => ../libs
