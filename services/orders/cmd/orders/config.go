package main

import (
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/service"
)

// Config is the environment of the process: that of every service, and so far nothing else.
type Config struct{ service.Config }

// SetDefaults is for config.Load.
func (c *Config) SetDefaults() { c.Config = service.Defaults(orders.Service, 9002, 9102) }
