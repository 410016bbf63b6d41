package stack

import "fmt"

// Mode is a way of running OMS.
type Mode string

// The modes. Auto is Docker where an engine answers, otherwise Native.
const (
	Auto   Mode = "auto"
	Docker Mode = "docker"
	Native Mode = "native"
)

// ChooseMode turns what was asked for into Docker or Native. dockerAnswers tells whether a Docker engine with Compose
// can be used; it is called only if that matters.
func ChooseMode(asked string, dockerAnswers func() bool) (Mode, error) {
	switch mode := Mode(asked); mode {
	case Docker, Native:
		return mode, nil
	case Auto, "":
		if dockerAnswers() {
			return Docker, nil
		}
		return Native, nil
	default:
		return "", fmt.Errorf("mode %q: there are %s, %s and %s", asked, Docker, Native, Auto)
	}
}
