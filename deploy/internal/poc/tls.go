package poc

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
)

// transportOf returns a way to the gateway. With a certificate it trusts that certificate only, whatever host the certificate is for,
// because the gateway is reached as 127.0.0.1 here.
func transportOf(certFile, keyFile string) (http.RoundTripper, error) {
	if certFile == "" {
		return http.DefaultTransport, nil
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("the gateway's certificate: %w", err)
	}
	own := pair.Certificate[0]
	return &http.Transport{TLSClientConfig: &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // #nosec G402 -- compared below
		VerifyConnection: func(state tls.ConnectionState) error {
			if !bytes.Equal(state.PeerCertificates[0].Raw, own) {
				return errors.New("the gateway uses another certificate than the one in TLS_CERT_FILE; `make up` lets it use that one")
			}
			return nil
		},
	}}, nil
}
