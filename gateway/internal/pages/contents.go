package pages

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/binary"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
)

// What `make pages` takes from npm's packages is stored compressed; all else is ours and can be read.
//
//go:embed assets
var assets embed.FS

//go:embed web
var web embed.FS

// Each page may load what it is made of from this host, and nothing else. Only the scripts of Redoc and Swagger UI may ask for
// something, and they ask for the description and use the API.
const (
	nothingElse   = "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	startPolicy   = "default-src 'none'; style-src 'self'; img-src 'self'" + nothingElse
	swaggerPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'" + nothingElse
	// Redoc inserts two styles: an empty one, which it fills by script, and that of its scroll bars. The hashes are those of their texts,
	// so no other style in the page counts. The search runs in a worker whose script Redoc holds.
	redocStyles = " 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' 'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='"
	redocPolicy = "default-src 'none'; script-src 'self'; style-src 'self'" + redocStyles + "; " +
		"img-src 'self' data:; connect-src 'self'; worker-src blob:" + nothingElse
)

const kindOfPages = "text/html; charset=utf-8"

// assetsPath is where the files are that pages load.
const assetsPath = "/assets/"

// kinds are the types of the files, by the ends of their names.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8",
}

// newContents returns all that is the same for everybody, by path.
func newContents(description []byte) (map[string]*content, error) {
	contents, err := newAssets()
	if err != nil {
		return nil, err
	}
	asJSON, err := toJSON(description)
	if err != nil {
		return nil, fmt.Errorf("description: %w", err)
	}
	contents["/swagger.yaml"] = newContent("application/yaml", description)
	contents["/swagger.json"] = newContent("application/json", asJSON)
	contents["/openapi.json"] = contents["/swagger.json"]
	for name, policy := range map[string]string{"swagger": swaggerPolicy, "redoc": redocPolicy} {
		page, err := read(contents, name+".html")
		if err != nil {
			return nil, err
		}
		contents["/"+name+"/"] = newContent(kindOfPages, []byte(page))
		contents["/"+name+"/"].policy = policy
	}
	return contents, nil
}

// newAssets returns the files that pages load.
func newAssets() (map[string]*content, error) {
	contents := map[string]*content{}
	for _, folder := range []struct {
		files embed.FS
		name  string
	}{{assets, "assets"}, {web, "web"}} {
		entries, err := folder.files.ReadDir(folder.name)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			file, err := folder.files.ReadFile(path.Join(folder.name, entry.Name()))
			if err != nil {
				return nil, err
			}
			name, isZipped := strings.CutSuffix(entry.Name(), ".gz")
			kind, isAsset := kinds[path.Ext(name)]
			if !isAsset {
				continue // a page
			}
			asset := newContent(kind, file)
			if isZipped {
				asset = newZipped(kind, file)
			}
			asset.immutable = true
			contents[assetsPath+name] = asset
		}
	}
	return contents, nil
}

// named is where a page names a file that it loads: {{asset start.css}}.
var named = regexp.MustCompile(`\{\{asset ([^}]*)\}\}`)

// read reads a page, and names the files that it loads by addresses with their tags, which change with their contents. Pages have so
// little that changes that they need no html/template: linking it makes the binary grow by half, and the memory at rest by 10 MiB.
func read(contents map[string]*content, name string) (string, error) {
	text, err := web.ReadFile(path.Join("web", name))
	if err != nil {
		return "", err
	}
	page := named.ReplaceAllStringFunc(string(text), func(naming string) string {
		file := named.FindStringSubmatch(naming)[1]
		asset, found := contents[assetsPath+file]
		if !found {
			err = fmt.Errorf("%s: there is no asset %s", name, file)
			return ""
		}
		return assetsPath[1:] + file + "?v=" + asset.tag
	})
	return page, err
}

// zip compresses what is sent often and made once.
func zip(plain []byte) []byte {
	var out bytes.Buffer
	// Neither the level nor a buffer can fail.
	writer, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	_, _ = writer.Write(plain)
	_ = writer.Close()
	return out.Bytes()
}

// sizeOf is how many bytes are compressed: gzip ends with the number (RFC 1952, section 2.3.1).
func sizeOf(zipped []byte) int { return int(binary.LittleEndian.Uint32(zipped[len(zipped)-4:])) }

// unzip reads what was compressed.
func unzip(zipped []byte) (io.ReadCloser, error) { return gzip.NewReader(bytes.NewReader(zipped)) }
