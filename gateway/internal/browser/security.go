package browser

// strictTransport makes browsers use TLS only, for a year (RFC 6797).
const strictTransport = "max-age=31536000"

// securityHeaders tell a browser not to guess the type of an answer, not to keep it, and not to run or frame it. A handler
// may set others instead.
var securityHeaders = []struct{ name, value string }{
	{"X-Content-Type-Options", "nosniff"},
	{"Cache-Control", "no-store"},
	{"Referrer-Policy", "no-referrer"},
	{"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
	{"X-Frame-Options", "DENY"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
}
