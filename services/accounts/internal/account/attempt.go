package account

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// The limits of failed passwords. One machine is stopped by what counts for its address, so that the failures of strangers are
// theirs alone. What counts for many (a network, an email wherever it is tried) has much room and short delays: it is for those
// who have many machines. Many people share an address and mistype now and then, so its failures are forgiven soon.
var (
	emailAtAddressLimit = limit{free: 5, forgive: 15 * time.Minute, longest: 15 * time.Minute}
	addressLimit        = limit{free: 50, forgive: time.Minute, longest: 15 * time.Minute}
	networkLimit        = limit{free: 150, forgive: time.Minute, longest: time.Minute}
	emailLimit          = limit{free: 100, forgive: 15 * time.Minute, longest: time.Minute}
	deviceLimit         = emailAtAddressLimit
)

// takenLimit is how many emails of others a member may ask for by changing its own.
var takenLimit = limit{free: 5, forgive: 15 * time.Minute, longest: 15 * time.Minute}

// failuresKept is after how long every counter is back at nothing.
var failuresKept = func() (longest time.Duration) {
	for _, l := range []limit{emailAtAddressLimit, addressLimit, networkLimit, emailLimit, deviceLimit, takenLimit} {
		longest = max(longest, time.Duration(l.most())*l.forgive)
	}
	return longest
}()

// MaxSubjects is how many subjects an attempt has, its device included.
const MaxSubjects = 5

// subject is what failures are counted under, with its limit.
type subject struct {
	digest Digest
	limit  limit
}

// Attempt is a try of a password, or a question whether somebody has an email.
type Attempt struct {
	MemberID uint64 // whose password it is, 0 for an unknown email
	Device   Digest // the member, the network and the user agent; zero where no device counts

	subjects []subject
	client   Client
}

// Subjects are what a failure of the attempt is counted under, but for the device: the narrowest first, at most MaxSubjects-1.
func (a Attempt) Subjects() []Digest {
	digests := make([]Digest, len(a.subjects))
	for i, subject := range a.subjects {
		digests[i] = subject.digest
	}
	return digests
}

// Own are the counters that a right password lets start anew: those that no stranger elsewhere adds to.
func (a Attempt) Own() []Digest { return []Digest{a.subjects[0].digest, a.Device} }

// newPasswordAttempt is a try of the password of whoever has the email.
func newPasswordAttempt(client Client, email string, memberID uint64) Attempt {
	mailbox := throttleKey(email)
	address, network := client.place(mailbox)
	return Attempt{client: client, subjects: []subject{
		{digest("password of email at address", mailbox, address), emailAtAddressLimit},
		{digest("password at address", address), addressLimit},
		{digest("password in network", network), networkLimit},
		{digest("password of email", mailbox), emailLimit},
	}}.Of(memberID)
}

// newTakenAttempt is a question whether somebody has an email, by a member or, for 0, by whoever signs up.
func newTakenAttempt(client Client, email string, memberID uint64) Attempt {
	address, network := client.place(throttleKey(email))
	attempt := Attempt{client: client, subjects: []subject{
		{digest("taken email at address", address), addressLimit}, {digest("taken email in network", network), networkLimit},
	}}
	if memberID != 0 {
		attempt.subjects = append(attempt.subjects, subject{digest("taken email by member", fmt.Sprint(memberID)), takenLimit})
	}
	return attempt
}

// Of returns the attempt as one of this member.
func (a Attempt) Of(memberID uint64) Attempt {
	a.MemberID = memberID
	a.Device = digest("device", fmt.Sprint(memberID), a.client.network(), a.client.UserAgent)
	return a
}

// place is where the client is, as far as failures are counted. Clients without an address are in no network together: nobody may
// slow down all of them.
func (c Client) place(email string) (address, network string) {
	if c.Address == "" {
		return "none, " + email, "none, " + email
	}
	return c.host(), c.network()
}

func digest(parts ...string) Digest { return sha256.Sum256(fmt.Appendf(nil, "%q", parts)) }
