package credential

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/testkit"
	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/fault"
)

var (
	client  = netip.MustParseAddr("203.0.113.5")
	another = netip.MustParseAddr("203.0.113.6")
)

// played plays accounts.
type played struct {
	*testkit.Clock

	mutex sync.Mutex
	known map[Digest]accounts.CredentialReply
	err   error
	asked atomic.Int32
	// meanwhile happens while accounts is asked.
	meanwhile func()
}

func play(t *testing.T) (*played, *Finder) {
	t.Helper()
	p := &played{Clock: testkit.Noon(), known: map[Digest]accounts.CredentialReply{}, meanwhile: func() {}}
	return p, NewFinder(p.ask, p.Now, prometheus.NewRegistry())
}

func (p *played) ask(ctx context.Context, credential Digest) (accounts.CredentialReply, error) {
	if _, bounded := ctx.Deadline(); !bounded {
		return accounts.CredentialReply{}, errors.New("the question has no deadline")
	}
	p.asked.Add(1)
	p.meanwhile()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.known[credential], p.err
}

// alter changes what accounts knows of a credential.
func (p *played) alter(credential Digest, change func(*accounts.CredentialReply)) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	reply := p.known[credential]
	change(&reply)
	p.known[credential] = reply
}

// add makes a real credential of a member, of the session that has ten times its id.
func (p *played) add(member uint64) Digest {
	credential := number(member)
	p.alter(credential, func(reply *accounts.CredentialReply) {
		*reply = accounts.CredentialReply{
			Found: true, MemberID: member, SessionID: 10 * member, Scopes: []string{accounts.ScopeMember}, ExpiresAt: p.In(time.Hour),
		}
	})
	return credential
}

// number returns different digests for different numbers.
func number(n uint64) (digest Digest) {
	binary.BigEndian.PutUint64(digest[:], n)
	return digest
}

func find(t *testing.T, finder *Finder, from netip.Addr, credential Digest) (Bearer, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return finder.Find(ctx, from, credential)
}

func requireBearer(t *testing.T, finder *Finder, credential Digest, want authn.Principal) {
	t.Helper()
	bearer, err := find(t, finder, client, credential)
	require.NoError(t, err)
	require.Equal(t, want, bearer.Principal)
}

func requireUnknown(t *testing.T, finder *Finder, credential Digest) {
	t.Helper()
	bearer, err := find(t, finder, client, credential)
	require.ErrorIs(t, err, ErrUnknown)
	require.Equal(t, Bearer{}, bearer)
}

func (p *played) requireAsked(t *testing.T, times int32) {
	t.Helper()
	require.Equal(t, times, p.asked.Load(), "times that accounts was asked")
}

func TestAnAnswerCountsForFiveSecondsFromWhenItWasAskedFor(t *testing.T) {
	t.Parallel()
	accountsSide, finder := play(t)
	genuine := accountsSide.add(7)
	accountsSide.meanwhile = func() { accountsSide.Advance(time.Second) } // so long it takes to answer
	requireBearer(t, finder, genuine, authn.Principal{MemberID: 7, SessionID: 70})
	accountsSide.alter(genuine, func(reply *accounts.CredentialReply) { reply.Admin = true })
	accountsSide.Advance(4*time.Second - time.Nanosecond)
	requireBearer(t, finder, genuine, authn.Principal{MemberID: 7, SessionID: 70})
	accountsSide.requireAsked(t, 1)
	accountsSide.Advance(time.Nanosecond)
	requireBearer(t, finder, genuine, authn.Principal{MemberID: 7, SessionID: 70, Admin: true})
	accountsSide.requireAsked(t, 2)

	accountsSide.alter(genuine, func(reply *accounts.CredentialReply) { *reply = accounts.CredentialReply{} })
	accountsSide.Advance(4 * time.Second)
	requireUnknown(t, finder, genuine)
	accountsSide.requireAsked(t, 3)
	accountsSide.add(7)
	accountsSide.Advance(4*time.Second - time.Nanosecond)
	requireUnknown(t, finder, genuine)
	accountsSide.requireAsked(t, 3)
	accountsSide.Advance(time.Nanosecond)
	requireBearer(t, finder, genuine, authn.Principal{MemberID: 7, SessionID: 70})
	accountsSide.requireAsked(t, 4)
}

func TestACredentialIsRefusedFromItsExpiryOn(t *testing.T) {
	t.Parallel()
	for name, remembered := range map[string]bool{"that is remembered": true, "that accounts believes to live": false} {
		accountsSide, finder := play(t)
		genuine := accountsSide.add(7)
		if remembered {
			accountsSide.Advance(time.Hour - time.Nanosecond)
			requireBearer(t, finder, genuine, authn.Principal{MemberID: 7, SessionID: 70})
			accountsSide.Advance(time.Nanosecond)
		} else {
			accountsSide.Advance(time.Hour)
		}
		requireUnknown(t, finder, genuine)
		requireUnknown(t, finder, genuine)
		require.Equal(t, int32(1), accountsSide.asked.Load(), name)
	}
}

// drf-oms may extend tokens that are used. The next import brings the new end.
func TestACredentialWhoseEndWasMovedCountsFromTheNextQuestionOn(t *testing.T) {
	t.Parallel()
	accountsSide, finder := play(t)
	genuine := accountsSide.add(7)
	accountsSide.Advance(time.Hour - time.Second)
	requireBearer(t, finder, genuine, authn.Principal{MemberID: 7, SessionID: 70})
	accountsSide.add(7)
	accountsSide.Advance(time.Second)
	requireUnknown(t, finder, genuine)
	accountsSide.Advance(rememberedFor - time.Second)
	requireBearer(t, finder, genuine, authn.Principal{MemberID: 7, SessionID: 70})
	accountsSide.requireAsked(t, 2)
}

func TestWhatCannotBeAskedIsUnavailableAndNotRemembered(t *testing.T) {
	t.Parallel()
	for name, breakIt := range map[string]func(p *played, genuine Digest){
		"nobody listens":       func(p *played, _ Digest) { p.err = fault.NewUnavailable(nil) },
		"no answer in time":    func(p *played, _ Digest) { p.err = fault.NewTimeout(nil) },
		"a kind not known yet": func(p *played, _ Digest) { p.err = fault.New(fault.Malformed, "", nil) },
		"no member": func(p *played, genuine Digest) {
			p.alter(genuine, func(reply *accounts.CredentialReply) { reply.MemberID = 0 })
		},
		"no session": func(p *played, genuine Digest) {
			p.alter(genuine, func(reply *accounts.CredentialReply) { reply.SessionID = 0 })
		},
	} {
		accountsSide, finder := play(t)
		genuine := accountsSide.add(7)
		breakIt(accountsSide, genuine)
		for range 200 { // more than may be asked for in vain
			_, err := find(t, finder, client, genuine)
			require.True(t, fault.Is(err, fault.Unavailable), "%s: %v", name, err)
		}
		accountsSide.err = nil
		accountsSide.add(7)
		requireBearer(t, finder, genuine, authn.Principal{MemberID: 7, SessionID: 70})
	}
}

func TestWhatIsRememberedIsKnownWhileAccountsIsAway(t *testing.T) {
	t.Parallel()
	accountsSide, finder := play(t)
	genuine := accountsSide.add(7)
	requireBearer(t, finder, genuine, authn.Principal{MemberID: 7, SessionID: 70})
	accountsSide.err = fault.NewUnavailable(nil)
	requireBearer(t, finder, genuine, authn.Principal{MemberID: 7, SessionID: 70})
	accountsSide.Advance(rememberedFor)
	_, err := find(t, finder, client, genuine)
	require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
}

func TestACredentialWithoutAScopeThatIsKnownHereMayDoNothing(t *testing.T) {
	t.Parallel()
	for _, scopes := range [][]string{nil, {"orders:read"}, {"Member"}} {
		accountsSide, finder := play(t)
		genuine := accountsSide.add(7)
		accountsSide.alter(genuine, func(reply *accounts.CredentialReply) { reply.Scopes = scopes })
		requireUnknown(t, finder, genuine)
	}
	accountsSide, finder := play(t)
	genuine := accountsSide.add(7)
	accountsSide.alter(genuine, func(reply *accounts.CredentialReply) { reply.Scopes = []string{"orders:read", accounts.ScopeMember} })
	requireBearer(t, finder, genuine, authn.Principal{MemberID: 7, SessionID: 70})
}

func TestInventedCredentialsCauseFewQuestionsAndStandInTheWayOfTheirOwnAddressOnly(t *testing.T) {
	t.Parallel()
	accountsSide, finder := play(t)
	known, fresh := accountsSide.add(7), accountsSide.add(8)
	requireBearer(t, finder, known, authn.Principal{MemberID: 7, SessionID: 70})
	invented := uint64(1000)
	invent := func(from netip.Addr, count int) (unknown, refused int) {
		for range count {
			invented++
			_, err := find(t, finder, from, number(invented))
			switch {
			case errors.Is(err, ErrUnknown):
				unknown++
			case fault.Is(err, fault.TooManyRequests):
				refused++
				require.Positive(t, fault.Of(err).RetryAfter)
			default:
				require.NoError(t, err)
			}
		}
		return unknown, refused
	}
	unknown, refused := invent(client, 1000)
	require.Equal(t, []int{failures.Burst, 1000 - failures.Burst}, []int{unknown, refused})
	accountsSide.requireAsked(t, int32(1+failures.Burst))
	for range 10 {
		accountsSide.Advance(time.Second)
		unknown, refused = invent(client, 1000)
		require.Equal(t, []int{failures.PerSecond, 1000 - failures.PerSecond}, []int{unknown, refused})
	}
	accountsSide.requireAsked(t, int32(1+failures.Burst+10*failures.PerSecond))

	requireBearer(t, finder, known, authn.Principal{MemberID: 7, SessionID: 70}) // whose answer is too old by now, at the same address
	_, err := find(t, finder, client, fresh)
	require.True(t, fault.Is(err, fault.TooManyRequests), "it may be real, so that it is not called unknown: %v", err)
	bearer, err := find(t, finder, another, fresh)
	require.NoError(t, err)
	require.Equal(t, uint64(8), bearer.Principal.MemberID)
	unknown, _ = invent(another, 10)
	require.Equal(t, 10, unknown)
}

func TestInventedCredentialsThatComeTogetherCauseNoMoreQuestionsThanOthers(t *testing.T) {
	t.Parallel()
	accountsSide, finder := play(t)
	for i := range uint64(failures.Burst - 1) {
		requireUnknown(t, finder, number(i))
	}
	release := make(chan struct{})
	accountsSide.meanwhile = func() { <-release }
	const together = 100
	ended := make(chan error, together)
	for i := range uint64(together) {
		go func() {
			_, err := find(t, finder, client, number(1000+i))
			ended <- err
		}()
	}
	for range together - 1 {
		err := <-ended
		require.True(t, fault.Is(err, fault.TooManyRequests), "%v", err)
	}
	close(release)
	require.ErrorIs(t, <-ended, ErrUnknown)
	accountsSide.requireAsked(t, int32(failures.Burst))
}

func TestAHouseholdOfIPv6IsOneClient(t *testing.T) {
	t.Parallel()
	accountsSide, finder := play(t)
	address := netip.MustParseAddr("2001:db8:0:ff::").As16()
	for i := range uint64(2 * failures.Burst) {
		address[15] = byte(i)
		_, _ = find(t, finder, netip.AddrFrom16(address), number(i))
	}
	accountsSide.requireAsked(t, int32(failures.Burst))
}

func TestMembersBehindOneAddressDoNotStandInEachOthersWay(t *testing.T) {
	t.Parallel()
	accountsSide, finder := play(t)
	const members = 400 // more than may be asked for in vain, and than are asked for at once
	var failed atomic.Int32
	var all sync.WaitGroup
	for member := range uint64(members) {
		credential := accountsSide.add(member + 1)
		all.Go(func() {
			if _, err := find(t, finder, client, credential); err != nil {
				failed.Add(1)
			}
		})
	}
	all.Wait()
	require.Zero(t, failed.Load())
	accountsSide.requireAsked(t, members)
}

func TestRequestsThatComeTogetherShareAnswers(t *testing.T) {
	t.Parallel()
	accountsSide, finder := play(t)
	genuine := accountsSide.add(7)
	begun, release := make(chan struct{}, maxAsking), make(chan struct{})
	accountsSide.meanwhile = func() {
		begun <- struct{}{}
		<-release
	}
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() { _, _ = find(t, finder, client, genuine) })
	}
	for range maxAsking {
		<-begun
	}
	close(release)
	all.Wait()
	require.LessOrEqual(t, accountsSide.asked.Load(), int32(maxAsking))
}

func TestWhoWaitsForTooLongHearsThatItMayTryAgain(t *testing.T) {
	t.Parallel()
	accountsSide, finder := play(t)
	release := make(chan struct{})
	begun := make(chan struct{}, maxAsking)
	accountsSide.meanwhile = func() {
		begun <- struct{}{}
		<-release
	}
	var all sync.WaitGroup
	for member := range uint64(maxAsking) {
		credential := accountsSide.add(member + 1)
		all.Go(func() { _, _ = find(t, finder, client, credential) })
	}
	for range maxAsking {
		<-begun
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := finder.Find(ctx, another, accountsSide.add(99))
	require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
	close(release)
	all.Wait()
}

func TestInventedCredentialsPushOutNoRealOneAndTakeBoundedMemory(t *testing.T) {
	t.Parallel()
	accountsSide, finder := play(t)
	genuine := accountsSide.add(1)
	requireBearer(t, finder, genuine, authn.Principal{MemberID: 1, SessionID: 10})
	address := netip.MustParseAddr("2001:db8::").As16()
	for i := range uint64(3 * maxAbsent) {
		binary.BigEndian.PutUint16(address[4:], uint16(i)) // as many clients
		_, err := find(t, finder, netip.AddrFrom16(address), number(1000+i))
		require.ErrorIs(t, err, ErrUnknown)
	}
	finder.absent.CleanUp()
	require.LessOrEqual(t, finder.absent.EstimatedSize(), maxAbsent)
	before := accountsSide.asked.Load()
	requireBearer(t, finder, genuine, authn.Principal{MemberID: 1, SessionID: 10})
	accountsSide.requireAsked(t, before)
}
