package stack

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Choosable are the settings of each service that whoever starts the stack may choose. All others are what the stack
// needs them to be: EVENTS_REPLICAS for one, of which the one NATS server refuses more than 1.
var Choosable = map[string][]string{
	"accounts": {"LOG_LEVEL", "DRAIN_TIME", "TIME_ZONE", "TOKEN_LIFETIME", "REFRESH_LIFETIME", "ACCOUNTS_DIRECTORY"},
	"orders":   {"LOG_LEVEL", "DRAIN_TIME", "TIME_ZONE"},
	"gateway": {
		"LOG_LEVEL", "DRAIN_TIME", "UPSTREAM_TIMEOUT", "REVOCATION_MAX_STALENESS", "TRUSTED_PROXIES", "CONNECTIONS_PER_ADDRESS",
		"RATE_LIMIT_MEMBER", "RATE_LIMIT_ADDRESS", "CORS_ALLOWED_ORIGINS", "CORS_ALLOWED_HEADERS", "TLS_CERT_FILE", "TLS_KEY_FILE",
	},
}

// Choices are the chosen settings by name. They are remembered with the stack: a command that works with a running
// service, such as the rotation of keys, must mean what that service means.
type Choices map[string]string

// ChoicesFrom reads the choices from an environment. Files get absolute paths, since services run in other folders.
func ChoicesFrom(getenv func(string) string) (Choices, error) {
	choices := Choices{}
	for _, names := range Choosable {
		for _, name := range names {
			value := getenv(name)
			if value == "" {
				continue
			}
			if strings.HasSuffix(name, "_FILE") {
				path, err := filepath.Abs(value)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", name, err)
				}
				value = path
			}
			choices[name] = value
		}
	}
	return choices, nil
}

// Scheme is that of the gateway's public port.
func (c Choices) Scheme() string {
	if c["TLS_CERT_FILE"] != "" {
		return "https"
	}
	return "http"
}
