package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"

	"oms.internal/gateway/internal/conns"
	"oms.internal/gateway/internal/secure"
	"oms.internal/libs/httpx"
)

// guard bounds the connections to the public port and, where it is configured, encrypts them.
func guard(cfg settings, public net.Listener) (net.Listener, error) {
	options := conns.Options{
		Total: httpx.MaxConnections, PerAddress: cfg.ConnectionsPerAddress, Trusted: cfg.TrustedProxies,
	}
	if cfg.TLSCertFile == "" {
		options.Refusal = secure.Refusal(http.StatusTooManyRequests, "There are too many connections.")
		return conns.Limit(public, options), nil
	}
	certificate, err := tls.LoadX509KeyPair(cfg.TLSCertFile, cfg.TLSKeyFile)
	if err != nil {
		return nil, fmt.Errorf("TLS_CERT_FILE, TLS_KEY_FILE: %w", err)
	}
	return tls.NewListener(conns.Limit(public, options), &tls.Config{
		Certificates: []tls.Certificate{certificate},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"},
	}), nil
}

// transportSecurity are the headers that answers over TLS have.
func transportSecurity(cfg settings) []secure.Header {
	if cfg.TLSCertFile == "" {
		return nil
	}
	return []secure.Header{secure.StrictTransport}
}
