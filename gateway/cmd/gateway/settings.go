package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"oms.internal/gateway/internal/client"
	"oms.internal/gateway/internal/cors"
	"oms.internal/gateway/internal/limit"
	"oms.internal/libs/config"
	"oms.internal/libs/natsx"
)

// defaultAdminAddr repeats the default of AdminAddr for the health check, which reads no other setting.
const defaultAdminAddr = "127.0.0.1:8081"

// settings is the configuration of the process; README.md explains each.
type settings struct {
	HTTPAddr        string        `env:"HTTP_ADDR" envDefault:":8080"`
	AdminAddr       string        `env:"ADMIN_ADDR" envDefault:"127.0.0.1:8081"`
	LogLevel        slog.Level    `env:"LOG_LEVEL" envDefault:"info"`
	ShutdownTimeout time.Duration `env:"SHUTDOWN_TIMEOUT" envDefault:"10s"`

	NATSURL       string        `env:"NATS_URL,required,notEmpty"`
	NATSUser      string        `env:"NATS_USER" envDefault:"gateway"`
	NATSPassword  config.Secret `env:"NATS_PASSWORD_FILE,file,required"`
	NATSTLSCAFile string        `env:"NATS_TLS_CA_FILE"`

	AccountsURL     serviceURL    `env:"ACCOUNTS_URL,required,notEmpty"`
	OrdersURL       serviceURL    `env:"ORDERS_URL,required,notEmpty"`
	UpstreamTimeout time.Duration `env:"UPSTREAM_TIMEOUT" envDefault:"5s"`

	RevocationMaxStaleness time.Duration `env:"REVOCATION_MAX_STALENESS" envDefault:"30s"`

	TrustedProxies        client.Proxies `env:"TRUSTED_PROXIES"`
	ConnectionsPerAddress int            `env:"CONNECTIONS_PER_ADDRESS" envDefault:"1000"`
	RateLimitMember       limit.Rate     `env:"RATE_LIMIT_MEMBER" envDefault:"200/400"`
	RateLimitAddress      limit.Rate     `env:"RATE_LIMIT_ADDRESS" envDefault:"500/1000"`
	CORSAllowedOrigins    cors.Origins   `env:"CORS_ALLOWED_ORIGINS"`
	TLSCertFile           string         `env:"TLS_CERT_FILE"`
	TLSKeyFile            string         `env:"TLS_KEY_FILE"`

	PrincipalPrivateKeyFile string `env:"PRINCIPAL_PRIVATE_KEY_FILE,required,notEmpty"`
	TokenIssuer             string `env:"TOKEN_ISSUER" envDefault:"oms"`
	TokenAudience           string `env:"TOKEN_AUDIENCE" envDefault:"oms"`
}

func (s settings) nats() natsx.Config {
	return natsx.Config{URL: s.NATSURL, User: s.NATSUser, Password: string(s.NATSPassword), TLSCAFile: s.NATSTLSCAFile}
}

func loadSettings(environ []string) (settings, error) {
	cfg, err := config.Load[settings](environ)
	problems := []error{err}
	for _, limit := range []struct {
		key   string
		value time.Duration
	}{
		{"UPSTREAM_TIMEOUT", cfg.UpstreamTimeout},
		{"SHUTDOWN_TIMEOUT", cfg.ShutdownTimeout},
		{"REVOCATION_MAX_STALENESS", cfg.RevocationMaxStaleness},
	} {
		// Zero is what a value that could not be read leaves behind; that has been reported.
		if limit.value < 0 || limit.value == 0 && err == nil {
			problems = append(problems, fmt.Errorf("%s: must be longer than 0", limit.key))
		}
	}
	if cfg.ConnectionsPerAddress < 0 {
		problems = append(problems, errors.New("CONNECTIONS_PER_ADDRESS: must not be negative"))
	}
	if (cfg.TLSCertFile == "") != (cfg.TLSKeyFile == "") {
		problems = append(problems, errors.New("TLS_CERT_FILE, TLS_KEY_FILE: set both or none"))
	}
	return cfg, errors.Join(problems...)
}

// serviceURL is where a service listens: a scheme and a host, since paths are passed on as they are.
type serviceURL struct{ url.URL }

// UnmarshalText reads the URL and says what is wrong with it.
func (u *serviceURL) UnmarshalText(text []byte) error {
	parsed, err := url.Parse(string(text))
	if err != nil {
		return err
	}
	if parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" {
		return fmt.Errorf("%q: must be http://host:port", text)
	}
	if parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "" || parsed.Path != "" && parsed.Path != "/" {
		return fmt.Errorf("%q: must be a scheme and a host only", text)
	}
	u.URL = url.URL{Scheme: parsed.Scheme, Host: parsed.Host}
	return nil
}

// LogValue shows the URL as it was given.
func (u serviceURL) LogValue() slog.Value { return slog.StringValue(u.String()) }
