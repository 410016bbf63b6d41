package store_test

import (
	"testing"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/listing"
)

func TestSearchesThatTakeLongLeaveRoomForAllOtherReads(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	member, _ := f.create(t, dream)
	list := func(request listing.Request) func() error {
		request.Limit = 1
		return func() error {
			_, err := f.Members(latest(t), account.Query{Request: request})
			return err
		}
	}
	match := func(among uint64) func() error {
		return func() error {
			_, err := f.MatchingMembers(latest(t), []string{"x"}, among, 1)
			return err
		}
	}
	audit := func(request listing.Request) func() error {
		return func() error {
			_, err := f.AuditEvents(latest(t), request.Only("action", "login"))
			return err
		}
	}
	f.RequireSlow(t, []func() error{
		list(listing.Request{Terms: []string{"x"}}), list(listing.Request{Offset: 100_000}), match(0), audit(listing.Request{Limit: 1}.Only("outcome", "success")),
	}, map[string]func() error{
		"all":                 list(listing.Request{}),
		"an email":            list(listing.Request{}.Only("email", "x@y.test")),
		"a name":              list(listing.Request{}.Only("name", "x")),
		"matching one member": match(member.ID),
		"events of an action": audit(listing.Request{Limit: 1}),
		"a member": func() error {
			_, err := f.Member(latest(t), member.ID)
			return err
		},
	})
}
