package pages

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strconv"
	"strings"
)

const assetPrefix = "/assets/"

//go:embed assets
var files embed.FS

// asset is a file that pages load. It is named by what is in it, so that a browser that has
// it never asks again.
type asset struct {
	url, kind string
	content   []byte
}

// kinds are the media types of assets.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// assets are all assets by the names of their files, and served by those in their URLs.
var assets, served = load()

func load() (byFile, byURL map[string]*asset) {
	byFile, byURL = map[string]*asset{}, map[string]*asset{}
	entries, err := files.ReadDir("assets")
	if err != nil {
		panic(err) // it is embedded
	}
	for _, e := range entries {
		content, err := files.ReadFile("assets/" + e.Name())
		if err != nil {
			panic(err)
		}
		sum, extension := sha256.Sum256(content), path.Ext(e.Name())
		name := strings.TrimSuffix(e.Name(), extension) + "." + hex.EncodeToString(sum[:8]) + extension
		a := &asset{url: assetPrefix + name, kind: kinds[extension], content: content}
		byFile[e.Name()], byURL[name] = a, a
	}
	return byFile, byURL
}

func serveAsset(w http.ResponseWriter, r *http.Request, a *asset) {
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	h.Set("Content-Type", a.kind)
	h.Set("Content-Length", strconv.Itoa(len(a.content)))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(a.content) // the client is gone, if anything
}
