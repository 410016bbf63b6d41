package token

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// rotationSlack is added to a token's lifetime before a key is removed: the time until its successor signed everywhere,
// and clocks that differ.
const rotationSlack = time.Minute

// Rotation is what Rotate did.
type Rotation struct {
	Added   string   // the name of the new key's file
	ID      string   // the new key's id (kid)
	Removed []string // the names of the files that are gone
}

// Rotate adds a new key to a directory, as its newest, and removes the keys that signed no token that can still be valid:
// those whose successor is older than lifetime. The age of a key is that of its file.
func Rotate(dir string, now time.Time, lifetime time.Duration) (Rotation, error) {
	paths, err := keyFiles(dir)
	if err != nil {
		return Rotation{}, err
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Rotation{}, err
	}
	rotation := Rotation{Added: newName(paths, now), ID: keyID(public)}
	if err := writeKey(dir, rotation.Added, private); err != nil {
		return Rotation{}, err
	}
	for i := range len(paths) - 1 {
		successor, err := os.Stat(paths[i+1])
		if err != nil {
			return rotation, err
		}
		if now.Sub(successor.ModTime()) < lifetime+rotationSlack {
			break // what comes later is younger
		}
		if err := os.Remove(paths[i]); err != nil {
			return rotation, err
		}
		rotation.Removed = append(rotation.Removed, filepath.Base(paths[i]))
	}
	return rotation, nil
}

const (
	nameForm   = "20060102T150405.000000000Z"
	nameSuffix = ".pem"
)

// ownEnding is what newName put behind the name of a key that sorts after the present time.
var ownEnding = regexp.MustCompile(`_[0-9]{8}T[0-9]{6}\.[0-9]{9}Z(_1)*$`)

// newName returns a name that sorts after those of the present keys, however they are called. An underscore sorts after
// the dot of the suffix.
func newName(paths []string, now time.Time) string {
	name := now.UTC().Format(nameForm)
	if len(paths) == 0 {
		return name + nameSuffix
	}
	last := filepath.Base(paths[len(paths)-1])
	if last >= name+nameSuffix {
		name = ownEnding.ReplaceAllString(strings.TrimSuffix(last, nameSuffix), "") + "_" + name
	}
	if last >= name+nameSuffix { // the clock went back
		name = strings.TrimSuffix(last, nameSuffix) + "_1"
	}
	return name + nameSuffix
}

// writeKey makes the file appear whole: services read the directory at any time.
func writeKey(dir, name string, private ed25519.PrivateKey) (err error) {
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, name+".*.new") // mode 0600, and no *.pem yet
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	content := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
	_, writeErr := file.Write(content)
	if err := errors.Join(writeErr, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), filepath.Join(dir, name)); err != nil {
		return fmt.Errorf("new key: %w", err)
	}
	return nil
}
