package token

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"

	"oms.internal/libs/fault"
	"oms.internal/libs/pace"
)

const (
	fetchTimeout = 2 * time.Second
	// retryInterval is how long to wait for accounts before the first set of keys is there.
	retryInterval = 250 * time.Millisecond
	// refreshInterval is how soon a key that accounts no longer publishes is refused.
	refreshInterval = time.Minute
	// Tokens with unknown keys, from all clients together, cause at most one request to accounts each unknownKeyInterval in
	// the long run, and unknownKeyBurst requests at once. Beyond that they wait for the next request.
	unknownKeyInterval = time.Second
	unknownKeyBurst    = 3
)

// Keys holds the public keys of accounts, as it publishes them (JWKS, RFC 7517). It fetches them in the background, and at
// once when a token names an unknown key. While accounts is away, the last good set stays.
//
// The library jwkset could refresh keys by itself, but would refuse all but one of many requests that come with a new key at
// the same time.
type Keys struct {
	url     string
	client  *http.Client
	log     *slog.Logger
	storage *usableKeys
	keyfunc keyfunc.Keyfunc
	limit   *rate.Limiter
	unknown *unknownKeys
}

// NewKeys returns keys to be fetched from url once Run has been called.
func NewKeys(url string, client *http.Client, log *slog.Logger, now func() time.Time) (*Keys, error) {
	storage := &usableKeys{Storage: jwkset.NewMemoryStorage(), loaded: make(chan struct{})}
	found, err := keyfunc.New(keyfunc.Options{Storage: storage})
	if err != nil {
		return nil, err
	}
	return &Keys{
		url: url, client: client, log: log, storage: storage, keyfunc: found,
		limit:   rate.NewLimiter(rate.Every(unknownKeyInterval), unknownKeyBurst),
		unknown: newUnknownKeys(now),
	}, nil
}

// Ready returns an error until the first set of keys has been fetched.
func (k *Keys) Ready() error {
	select {
	case <-k.storage.loaded:
		return nil
	default:
		return errors.New("no signing keys from accounts yet")
	}
}

// Run fetches keys until ctx ends. It does not fail while accounts is away. All fetches are made here, one after the
// other, so that no older set can replace a newer one.
func (k *Keys) Run(ctx context.Context) error {
	failing := true
	for first := true; ctx.Err() == nil; first = false {
		finish := k.unknown.begin()
		err := k.fetch(ctx)
		finish(err)
		if err != nil && (first || !failing) {
			k.log.Warn("signing keys not fetched; trying on", "error", err)
		}
		if err == nil && failing {
			k.log.Info("signing keys fetched")
		}
		failing = err != nil
		wait := refreshInterval
		if k.Ready() != nil {
			wait = retryInterval
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		case <-k.unknown.asked:
			_ = pace.Wait(ctx, k.limit.Reserve().Delay())
		}
	}
	return nil
}

// fetch replaces the set by the one that accounts publishes now.
func (k *Keys) fetch(ctx context.Context) error {
	// Without RefreshInterval this makes one request, fills the storage and leaves nothing behind.
	_, err := jwkset.NewStorageFromHTTP(k.url, jwkset.HTTPClientStorageOptions{
		Client:      k.client,
		Ctx:         ctx,
		HTTPTimeout: fetchTimeout,
		Storage:     k.storage,
	})
	if err != nil {
		return fmt.Errorf("fetch keys: %w", err)
	}
	return nil
}

// find returns the key that the token names. If the key is unknown, find waits for a fetch that begins after the call. Accounts
// publishes a key before it signs with it, so that fetch brings it, however many others ask for keys that do not exist.
func (k *Keys) find(ctx context.Context, unverified *jwt.Token) (any, error) {
	lookUp := func() (any, error) { return k.keyfunc.KeyfuncCtx(ctx)(unverified) }
	key, err := lookUp()
	id, _ := unverified.Header["kid"].(string) // the library has refused any other kind
	if !errors.Is(err, jwkset.ErrKeyNotFound) || k.unknown.isAbsent(id) {
		return key, err
	}
	waited := k.unknown.wait(ctx, id, func() bool {
		key, err = lookUp()
		return !errors.Is(err, jwkset.ErrKeyNotFound)
	})
	if waited != nil {
		return nil, fault.NewUnavailable(fmt.Errorf("unknown signing key: %w", waited))
	}
	return key, err
}

// usableKeys keeps the Ed25519 keys of a set, and refuses a set without any: an empty answer means that accounts is broken, not
// that no token is valid any more.
type usableKeys struct {
	jwkset.Storage
	// sets counts the sets that were taken and differ from the one before. What was verified by the keys of an earlier one must be verified
	// again.
	sets atomic.Uint64
	once sync.Once
	// loaded is closed by the first set.
	loaded chan struct{}

	mutex sync.Mutex
	// last are the ids and keys of the last set.
	last map[string]bool
}

// KeyReplaceAll takes a fetched set.
func (s *usableKeys) KeyReplaceAll(ctx context.Context, set []jwkset.JWK) error {
	var usable []jwkset.JWK
	keys := map[string]bool{}
	for _, each := range set {
		if key, ok := each.Key().(ed25519.PublicKey); ok {
			usable = append(usable, each)
			keys[each.Marshal().KID+" "+string(key)] = true
		}
	}
	if len(usable) == 0 {
		return errors.New("no Ed25519 key in the set")
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err := s.Storage.KeyReplaceAll(ctx, usable); err != nil {
		return err
	}
	// Invented keys cause a fetch a second. They must not have all tokens verified again each time.
	if !maps.Equal(keys, s.last) {
		s.last = keys
		s.sets.Add(1)
	}
	s.once.Do(func() { close(s.loaded) })
	return nil
}
