package account

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"time"

	"oms.internal/libs/audit"
	"oms.internal/libs/pace"
)

// Directory says what members may see of each other.
type Directory string

// The directories.
const (
	DirectoryMasked Directory = "masked" // others without contact data, gender and last order
	DirectoryOpen   Directory = "open"   // everyone sees everything, as in drf-oms
	DirectoryAdmin  Directory = "admin"  // only admins see others
)

// Service is the domain's use cases.
type Service struct {
	deps       Dependencies
	inProgress inProgress
	series     *audit.Series
}

// Dependencies are what the service works with. All but Pause and Random are required.
type Dependencies struct {
	Store       Store
	Passwords   Passwords
	Tokens      Tokens
	Orders      LastOrders
	Revocations RevocationPublisher
	Vault       Vault
	Now         func() time.Time
	Log         *slog.Logger

	// Pause has the client wait for the answer to the request of ctx; nil stands for a timer. It should cost the process little.
	Pause func(ctx context.Context, while time.Duration)

	// Random is where tokens and salts come from; nil stands for crypto/rand.
	Random io.Reader

	Directory Directory
	// LastOrdersTimeout is how long a page of members waits for the orders service before it goes without last orders.
	LastOrdersTimeout time.Duration
	// TokenLifetime is how long an access token is valid, RefreshLifetime how long its session lives if it is not renewed.
	// The second is not shorter than the first.
	TokenLifetime   time.Duration
	RefreshLifetime time.Duration
	// RefreshRepeatWindow is how long after its use a refresh token gives its unused successor again; 0 for never.
	RefreshRepeatWindow time.Duration
	// AuditRetention is how long audit events are kept, at least MinAuditRetention.
	AuditRetention time.Duration
}

// NewService returns the use cases over the given dependencies.
func NewService(dependencies Dependencies) *Service {
	if dependencies.Random == nil {
		dependencies.Random = rand.Reader
	}
	if dependencies.Pause == nil {
		dependencies.Pause = func(ctx context.Context, while time.Duration) { _ = pace.Wait(ctx, while) }
	}
	return &Service{deps: dependencies, inProgress: inProgress{fingerprints: map[Digest]bool{}}, series: audit.NewSeries()}
}

// now is the present in the resolution that the database keeps.
func (s *Service) now() time.Time { return s.deps.Now().UTC().Truncate(time.Microsecond) }

// lastOrders asks for the last orders in time. ok is false where they are not known.
func (s *Service) lastOrders(ctx context.Context, customerIDs []uint64) (orders map[uint64]Order, ok bool) {
	if len(customerIDs) == 0 {
		return nil, true
	}
	ctx, cancel := context.WithTimeout(ctx, s.deps.LastOrdersTimeout)
	defer cancel()
	orders, err := s.deps.Orders.LastOrders(ctx, customerIDs)
	if err != nil {
		s.deps.Log.WarnContext(ctx, "answering without last orders", "error", err)
		return nil, false
	}
	return orders, true
}

// UnmarshalText accepts the names of the directories.
func (d *Directory) UnmarshalText(name []byte) error {
	switch directory := Directory(name); directory {
	case DirectoryMasked, DirectoryOpen, DirectoryAdmin:
		*d = directory
		return nil
	}
	return fmt.Errorf("%q is none of masked, open and admin", name)
}
