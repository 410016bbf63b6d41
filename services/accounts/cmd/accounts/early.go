package main

import (
	"oms.internal/accounts/internal/account"
	"oms.internal/libs/fairshare"
)

// earlyLogins is how many logins that come too early may be under way. Each holds a connection of the gateway for a second.
const earlyLogins = 32

// earlyPlaces is account.EarlyLogins, shared among hosts.
type earlyPlaces struct{ pool *fairshare.Pool[string] }

var _ account.EarlyLogins = earlyPlaces{}

func newEarlyPlaces() earlyPlaces {
	return earlyPlaces{fairshare.NewPool[string]("early_logins", earlyLogins)}
}

func (p earlyPlaces) Enter(host string) (leave func(), ok bool) {
	if p.pool.Take(host, 1) != nil {
		return nil, false
	}
	return func() { p.pool.Give(host, 1) }, true
}
