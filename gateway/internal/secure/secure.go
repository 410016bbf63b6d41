// Package secure sets the headers that tell a browser to make nothing of an answer but data: not to guess its type, not
// to keep it, not to run or frame it.
package secure

import "github.com/valyala/fasthttp"

var defaults = [][2]string{
	{"X-Content-Type-Options", "nosniff"},
	{"Cache-Control", "no-store"},
	{"Referrer-Policy", "no-referrer"},
	{"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
}

// Server makes every answer of the server carry the headers, unless its handler set them to something else. It works
// on the server and not as a middleware, because refusals of requests that cannot be read pass no middleware.
func Server(server *fasthttp.Server) {
	handle, refuse := server.Handler, server.ErrorHandler
	server.Handler = func(request *fasthttp.RequestCtx) {
		handle(request)
		complete(&request.Response.Header)
	}
	server.ErrorHandler = func(request *fasthttp.RequestCtx, err error) {
		refuse(request, err)
		complete(&request.Response.Header)
	}
}

func complete(header *fasthttp.ResponseHeader) {
	for _, field := range defaults {
		if len(header.Peek(field[0])) == 0 {
			header.Set(field[0], field[1])
		}
	}
}
