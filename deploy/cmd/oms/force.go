package main

import (
	"fmt"
	"strings"
)

// force is what somebody insists on. Each danger has a word of its own, because a word that is always given protects from nothing.
type force struct {
	data     bool // data or writes are lost
	unsealed bool // a file does not show whether it is whole
}

// Set takes the words of FORCE or --force.
func (f *force) Set(text string) error {
	*f = force{}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' }) {
		switch word {
		case "1", "true": // "true" is what the flag package makes of a flag without a value
			f.data = true
		case "unsealed":
			f.unsealed = true
		default:
			return fmt.Errorf("there is no %q; there are 1 and unsealed", word)
		}
	}
	return nil
}

func (f *force) String() string { return "" }

// IsBoolFlag lets the flag stand alone.
func (f *force) IsBoolFlag() bool { return true }
