package token

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"oms.internal/libs/pace"
)

const (
	// pollInterval bounds how long a new key stays unpublished. Polling a directory of a few files costs nothing, and works
	// on every file system, mounted ones included.
	pollInterval = 500 * time.Millisecond
	// signDelay is how long a key is published before it signs. By then every instance has published it, so a gateway that
	// meets its first token finds the key wherever it asks.
	signDelay = 2 * time.Second
)

// Watch takes in keys that are added to the directory, and drops those that are removed, until ctx ends. While a file
// cannot be read, all keys stay as they were: a key whose file is damaged may have signed tokens that are still valid.
func (k *Keyring) Watch(ctx context.Context, log *slog.Logger) error {
	watcher := watcher{keyring: k, log: log, mark: k.ring.mark}
	pace.Every(ctx, pollInterval, func() { watcher.look(ctx) })
	return nil
}

type watcher struct {
	keyring *Keyring
	log     *slog.Logger
	mark    string    // of the directory when it was last looked at
	since   time.Time // when the newest key was published
}

func (w *watcher) look(ctx context.Context) {
	now := time.Now()
	if mark := mark(w.keyring.dir); mark != w.mark {
		w.mark = mark
		loaded, err := loadRing(ctx, w.keyring.dir)
		if err != nil {
			w.log.ErrorContext(ctx, "signing keys not read; the present ones stay", "error", err)
			return
		}
		if loaded.newest.id != w.keyring.newest().id {
			w.since = now
		}
		w.keyring.publish(loaded)
		w.log.InfoContext(ctx, "signing keys read", "published", loaded.ids)
	}
	if now.Sub(w.since) >= signDelay && w.keyring.promote() {
		w.log.InfoContext(ctx, "another key signs", "key", w.keyring.signer().id)
	}
}

// mark changes whenever a key file comes, goes or is written.
func mark(dir string) string {
	paths, err := keyFiles(dir)
	marks := []string{fmt.Sprint(err)}
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			marks = append(marks, fmt.Sprint(path, info.Size(), info.ModTime().UnixNano()))
		}
	}
	return strings.Join(marks, "\n")
}

func (k *Keyring) newest() signingKey {
	k.mutex.RLock()
	defer k.mutex.RUnlock()
	return k.ring.newest
}

// publish replaces the published keys. A key that is no longer there must not sign.
func (k *Keyring) publish(loaded ring) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.ring = loaded
	if !slices.Contains(loaded.ids, k.signing.id) {
		k.signing = loaded.newest
	}
}

// promote lets the newest key sign, and reports whether that is new.
func (k *Keyring) promote() bool {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	changed := k.signing.id != k.ring.newest.id
	k.signing = k.ring.newest
	return changed
}
