package field

import (
	"strings"
	"unicode"
)

// visible reports whether a text shows anything. Characters without a shape of their own, such as U+200B or U+3164, belong
// to many real texts, as joiners of emoji do, but a text of nothing else looks empty wherever it is shown.
func visible(text string) bool { return strings.ContainsFunc(text, isVisible) }

// isVisible follows Unicode's property Default_Ignorable_Code_Point, white space and control characters. NUL counts as
// visible, because it has a message of its own.
func isVisible(char rune) bool {
	switch {
	case char == 0, unicode.Is(unicode.Prepended_Concatenation_Mark, char):
		return true
	case unicode.In(char, unicode.White_Space, unicode.Z, unicode.Cc, unicode.Cf):
		return false
	case unicode.In(char, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return false
	}
	return !strings.ContainsRune(blanks, char)
}

// blanks are characters of scripts and notations whose shape is an empty one: a braille cell without dots, a note without
// head, a filler of the Khitan script.
const blanks = "\u2800\U0001D159\U00016FE4"
