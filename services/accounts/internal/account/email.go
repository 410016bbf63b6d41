package account

import (
	"strings"

	"oms.internal/libs/email"
)

// Mailbox returns the form that all spellings of one mailbox share, "" for a text that is no email address. No two members
// sign up with the same one.
func Mailbox(text string) string {
	address, ok := email.Parse(text)
	if !ok {
		return ""
	}
	return address.Mailbox()
}

// SameMailbox reports whether two emails name one mailbox. Two emails that are not valid are the same only if they are spelled the same.
func SameMailbox(a, b string) bool { return a == b || Mailbox(a) != "" && Mailbox(a) == Mailbox(b) }

// EmailKey returns the form of an email in which it is searched and ordered by: in lower case, unless that names another
// mailbox. Emails of different mailboxes have different keys.
func EmailKey(text string) string {
	if lower := strings.ToLower(text); Mailbox(lower) == Mailbox(text) && Mailbox(text) != "" {
		return lower
	}
	return strings.Map(func(char rune) rune {
		if 'A' <= char && char <= 'Z' {
			return char + 'a' - 'A'
		}
		return char
	}, text)
}

// EmailKeys returns the keys of the spellings that a mailbox usually has: as it is written here, with the domain as A-labels, and
// with the domain as U-labels. A member without a mailbox of its own is found by them.
func EmailKeys(text string) []string {
	keys := []string{EmailKey(text)}
	if lower := strings.ToLower(text); lower != keys[0] {
		keys = append(keys, lower) // the key in a row that a process without mailboxes writes, until it is mended
	}
	if address, ok := email.Parse(text); ok {
		for _, spelling := range []string{address.Mailbox(), address.Unicode()} {
			if key := EmailKey(spelling); key != keys[0] {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// Holder returns the member whom an email names. Members from before mailboxes were unique may share one. Of these, the one whose
// email is spelled just so comes first, then one whose email differs in case alone.
func Holder(text string, members []Member) (holder Member, found bool) {
	closeness := func(member Member) int {
		switch {
		case member.Email == text:
			return 3
		case !SameMailbox(text, member.Email):
			return 0 // another mailbox, under the key that an earlier release gave it
		case EmailKey(member.Email) == EmailKey(text):
			return 2
		}
		return 1
	}
	best := 0
	for _, member := range members {
		if near := closeness(member); near > best {
			best, holder = near, member
		}
	}
	return holder, best > 0
}

// throttleKey is what failures with an email are counted under: no other spelling of the mailbox gives further tries.
func throttleKey(text string) string {
	if mailbox := Mailbox(text); mailbox != "" {
		return mailbox
	}
	return EmailKey(text)
}
