package stack

import "fmt"

// Mode is a way of running OMS.
type Mode string

// The modes. Auto means the mode of the last start, because each mode has its own data. The first start is in Docker if an engine
// answers, otherwise Native.
const (
	Auto   Mode = "auto"
	Docker Mode = "docker"
	Native Mode = "native"
)

// ChooseMode turns the mode that was asked for into Docker or Native. last is the mode of the last start, or "" before the first.
// dockerAnswers reports whether a Docker engine with Compose can be used. It is called only if nothing else decides.
func ChooseMode(asked string, last Mode, dockerAnswers func() bool) (Mode, error) {
	switch mode := Mode(asked); mode {
	case Docker, Native:
		return mode, nil
	case Auto, "":
		switch {
		case last != "":
			return last, nil
		case dockerAnswers():
			return Docker, nil
		}
		return Native, nil
	default:
		return "", fmt.Errorf("there is no mode %q; choose %s, %s or %s", asked, Docker, Native, Auto)
	}
}
