package token

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

const (
	fetchTimeout = 2 * time.Second
	// retryInterval is how long to wait for accounts before the first set of keys is there.
	retryInterval = 250 * time.Millisecond
	// refreshInterval is how soon a key that accounts no longer publishes is refused.
	refreshInterval = time.Minute
	// unknownKeyInterval is how often tokens with an unknown key may cause a request to accounts, whoever sends them.
	unknownKeyInterval = time.Second
)

// Keys holds the public keys with which accounts signs, as it publishes them (JWKS, RFC 7517). It fetches them in the
// background, and at once when a token names a key that it does not know; while accounts is away the last good set
// stays.
//
// The refresh of the library jwkset itself is not used: of many requests that come with a new key at the same time it
// would let one through and refuse the others.
type Keys struct {
	url     string
	client  *http.Client
	log     *slog.Logger
	now     func() time.Time
	storage *usableKeys
	keyfunc keyfunc.Keyfunc

	unknown     sync.Mutex // held while a fetch for an unknown key is under way
	lastUnknown time.Time  // when the last such fetch ended
}

// NewKeys returns keys to be fetched from url once Run has been called, with a clock.
func NewKeys(url string, client *http.Client, log *slog.Logger, now func() time.Time) (*Keys, error) {
	storage := &usableKeys{Storage: jwkset.NewMemoryStorage(), loaded: make(chan struct{})}
	found, err := keyfunc.New(keyfunc.Options{Storage: storage})
	if err != nil {
		return nil, err
	}
	return &Keys{url: url, client: client, log: log, now: now, storage: storage, keyfunc: found}, nil
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

// Run fetches keys until ctx ends. It does not fail while accounts is away.
func (k *Keys) Run(ctx context.Context) error {
	failing := true
	for first := true; ; first = false {
		err := k.fetch(ctx)
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
			return nil
		case <-time.After(wait):
		}
	}
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

// find returns the key that the token names, and asks accounts for it if it is new.
func (k *Keys) find(ctx context.Context, unverified *jwt.Token) (any, error) {
	key, err := k.keyfunc.KeyfuncCtx(ctx)(unverified)
	if !errors.Is(err, jwkset.ErrKeyNotFound) {
		return key, err
	}
	k.fetchUnknown(ctx)
	return k.keyfunc.KeyfuncCtx(ctx)(unverified)
}

// fetchUnknown makes all requests that meet an unknown key at the same time wait for one fetch.
func (k *Keys) fetchUnknown(ctx context.Context) {
	k.unknown.Lock()
	defer k.unknown.Unlock()
	if k.now().Sub(k.lastUnknown) < unknownKeyInterval {
		return
	}
	if err := k.fetch(ctx); err != nil {
		k.log.WarnContext(ctx, "unknown signing key not fetched", "error", err)
	}
	k.lastUnknown = k.now()
}

// usableKeys keeps the Ed25519 keys of a set, and refuses a set without any: an empty answer is a mistake of the other
// side, not the news that no token is valid any more.
type usableKeys struct {
	jwkset.Storage
	once   sync.Once
	loaded chan struct{} // closed by the first set
}

// KeyReplaceAll takes a fetched set.
func (s *usableKeys) KeyReplaceAll(ctx context.Context, set []jwkset.JWK) error {
	var usable []jwkset.JWK
	for _, key := range set {
		if _, ok := key.Key().(ed25519.PublicKey); ok {
			usable = append(usable, key)
		}
	}
	if len(usable) == 0 {
		return errors.New("no Ed25519 key in the set")
	}
	if err := s.Storage.KeyReplaceAll(ctx, usable); err != nil {
		return err
	}
	s.once.Do(func() { close(s.loaded) })
	return nil
}
