package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"oms.internal/gateway/internal/browser"
	"oms.internal/gateway/internal/forwarded"
	"oms.internal/gateway/internal/limit"
	"oms.internal/gateway/internal/proxy"
	"oms.internal/libs/config"
	"oms.internal/libs/natsx"
)

// Config is the environment of the process; README.md explains each key.
type Config struct {
	HTTPAddr        string        `env:"HTTP_ADDR" envDefault:":8080"`
	AdminAddr       string        `env:"ADMIN_ADDR"`
	AdminProfiles   bool          `env:"ADMIN_PROFILES" envDefault:"false"`
	LogLevel        slog.Level    `env:"LOG_LEVEL" envDefault:"info"`
	ShutdownTimeout time.Duration `env:"SHUTDOWN_TIMEOUT" envDefault:"10s"`
	DrainTime       time.Duration `env:"DRAIN_TIME" envDefault:"1s"`
	ListenShared    bool          `env:"LISTEN_SHARED" envDefault:"false"`

	NATSURL       string        `env:"NATS_URL,required,notEmpty"`
	NATSUser      string        `env:"NATS_USER" envDefault:"gateway"`
	NATSPassword  config.Secret `env:"NATS_PASSWORD_FILE,file,required"`
	NATSTLSCAFile string        `env:"NATS_TLS_CA_FILE"`

	AccountsURL     serviceURLs   `env:"ACCOUNTS_URL,required,notEmpty"`
	OrdersURL       serviceURLs   `env:"ORDERS_URL,required,notEmpty"`
	UpstreamTimeout time.Duration `env:"UPSTREAM_TIMEOUT" envDefault:"5s"`

	RevocationMaxStaleness time.Duration `env:"REVOCATION_MAX_STALENESS" envDefault:"30s"`

	TrustedProxies        forwarded.Proxies   `env:"TRUSTED_PROXIES"`
	ConnectionsPerAddress int                 `env:"CONNECTIONS_PER_ADDRESS" envDefault:"1000"`
	AnswerBytes           int                 `env:"ANSWER_BYTES" envDefault:"8388608"`
	RateLimitMember       limit.Rate          `env:"RATE_LIMIT_MEMBER" envDefault:"200/400"`
	RateLimitAddress      limit.Rate          `env:"RATE_LIMIT_ADDRESS" envDefault:"500/1000"`
	CORSAllowedOrigins    browser.Origins     `env:"CORS_ALLOWED_ORIGINS"`
	CORSAllowedHeaders    browser.HeaderNames `env:"CORS_ALLOWED_HEADERS"`
	Pages                 bool                `env:"PAGES" envDefault:"true"`
	TLSCertFile           string              `env:"TLS_CERT_FILE"`
	TLSKeyFile            string              `env:"TLS_KEY_FILE"`

	PrincipalPrivateKeyFile string `env:"PRINCIPAL_PRIVATE_KEY_FILE,required,notEmpty"`
	TokenIssuer             string `env:"TOKEN_ISSUER" envDefault:"oms"`
	TokenAudience           string `env:"TOKEN_AUDIENCE" envDefault:"oms"`
}

func (c Config) nats() natsx.Config {
	return natsx.Config{URL: c.NATSURL, User: c.NATSUser, Password: string(c.NATSPassword), TLSCAFile: c.NATSTLSCAFile}
}

// SetDefaults is for config.Load and for the health check, which reads no other setting.
func (c *Config) SetDefaults() { c.AdminAddr = "127.0.0.1:8081" }

// Check reports values that are out of range and values that do not go together.
func (c Config) Check() error {
	var problems []error
	for _, limit := range []struct {
		key   string
		value time.Duration
	}{
		{"UPSTREAM_TIMEOUT", c.UpstreamTimeout},
		{"SHUTDOWN_TIMEOUT", c.ShutdownTimeout},
		{"REVOCATION_MAX_STALENESS", c.RevocationMaxStaleness},
	} {
		if limit.value <= 0 {
			problems = append(problems, fmt.Errorf("%s: must be longer than 0", limit.key))
		}
	}
	if c.DrainTime < 0 || c.DrainTime >= c.ShutdownTimeout {
		problems = append(problems, errors.New("DRAIN_TIME: must not be negative, and shorter than SHUTDOWN_TIMEOUT"))
	}
	if c.ConnectionsPerAddress < 0 {
		problems = append(problems, errors.New("CONNECTIONS_PER_ADDRESS: must not be negative"))
	}
	if least := 2 * proxy.MaxAnswer; c.AnswerBytes < least {
		problems = append(problems, fmt.Errorf("ANSWER_BYTES: must be at least %d, or no client could get the largest answer", least))
	}
	if (c.TLSCertFile == "") != (c.TLSKeyFile == "") {
		problems = append(problems, errors.New("TLS_CERT_FILE, TLS_KEY_FILE: set both or none"))
	}
	return errors.Join(problems...)
}

// serviceURLs are where the instances of a service listen: a scheme and a host each, since paths are passed on as they are.
type serviceURLs struct{ all []*url.URL }

// UnmarshalText reads URLs separated by commas and says what is wrong with them.
func (u *serviceURLs) UnmarshalText(text []byte) error {
	u.all = nil
	for item := range strings.SplitSeq(string(text), ",") {
		parsed, err := parseServiceURL(strings.TrimSpace(item))
		if err != nil {
			return err
		}
		if slices.ContainsFunc(u.all, func(other *url.URL) bool { return *other == *parsed }) {
			return fmt.Errorf("%q: is listed twice", item)
		}
		u.all = append(u.all, parsed)
	}
	return nil
}

func parseServiceURL(text string) (*url.URL, error) {
	parsed, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	if parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" {
		return nil, fmt.Errorf("%q: must be http://host:port", text)
	}
	if parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "" || parsed.Path != "" && parsed.Path != "/" {
		return nil, fmt.Errorf("%q: must be a scheme and a host only", text)
	}
	return &url.URL{Scheme: parsed.Scheme, Host: parsed.Host}, nil
}

// String lists the URLs.
func (u serviceURLs) String() string {
	texts := make([]string, len(u.all))
	for i, each := range u.all {
		texts[i] = each.String()
	}
	return strings.Join(texts, ",")
}

// LogValue shows the URLs as they were given.
func (u serviceURLs) LogValue() slog.Value { return slog.StringValue(u.String()) }
