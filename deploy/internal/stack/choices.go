package stack

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Choosable are the settings of each service that may be chosen when the stack starts. The stack sets all others itself, because it
// works with one value only. EVENTS_REPLICAS, for example, must be 1, since there is one NATS server.
var Choosable = map[string][]string{
	"accounts": {
		"LOG_LEVEL", "ADMIN_PROFILES", "DRAIN_TIME", "REQUEST_TIMEOUT", "TIME_ZONE", "MYSQL_CONNECTIONS", "TOKEN_LIFETIME", "REFRESH_LIFETIME", "REFRESH_REPEAT_WINDOW",
		"LAST_ORDERS_TIMEOUT", "ACCOUNTS_DIRECTORY", "AUDIT_RETENTION",
	},
	"binlogs": {"BINLOG_MAX_SIZE_MB", "BINLOG_MAX_AGE"},
	"mariadb": {"BUFFER_POOL_MB"},
	"orders":  {"LOG_LEVEL", "ADMIN_PROFILES", "DRAIN_TIME", "REQUEST_TIMEOUT", "TIME_ZONE", "MYSQL_CONNECTIONS"},
	"gateway": {
		"LOG_LEVEL", "ADMIN_PROFILES", "DRAIN_TIME", "UPSTREAM_TIMEOUT", "REVOCATION_MAX_STALENESS", "TRUSTED_PROXIES", "CONNECTIONS_PER_ADDRESS",
		"ANSWER_BYTES", "RATE_LIMIT_MEMBER", "RATE_LIMIT_ADDRESS", "CORS_ALLOWED_ORIGINS", "CORS_ALLOWED_HEADERS", "PAGES", "TLS_CERT_FILE", "TLS_KEY_FILE",
	},
}

// Choices are the chosen settings by name. They are recorded with the stack, because a command that works with a running service, such
// as the rotation of keys, needs the settings of that service.
type Choices map[string]string

// ChoicesFrom reads the choices from an environment. A variable that is not set leaves a choice as it was last; an empty one means the
// default of the service. Files get absolute paths, because services run in other folders.
func ChoicesFrom(lookup Lookup, last Choices) (Choices, error) {
	choices := Choices{}
	for _, names := range Choosable {
		for _, name := range names {
			value, named := lookup(name)
			if !named && last[name] != "" {
				choices[name] = last[name]
			}
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

// Scheme returns the URL scheme of the gateway's public port.
func (c Choices) Scheme() string {
	if c["TLS_CERT_FILE"] != "" {
		return "https"
	}
	return "http"
}
