package demo

import (
	"fmt"
	"hash/fnv"
	"html/template"
	"io"
)

// faceTemplate is a face in a few shapes.
var faceTemplate = template.Must(template.New("face").Parse(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" role="img" aria-label="{{.Name}}">
<rect width="96" height="96" fill="{{.Background}}"/>
<ellipse cx="48" cy="104" rx="36" ry="30" fill="{{.Clothes}}"/>
<path d="{{.Hair}}" fill="{{.HairColour}}"/>
<rect x="41" y="60" width="14" height="16" rx="6" fill="{{.Skin}}"/>
<ellipse cx="48" cy="46" rx="19" ry="23" fill="{{.Skin}}"/>
<path d="{{.Fringe}}" fill="{{.HairColour}}"/>
<circle cx="40.5" cy="46" r="2.2" fill="#2b2320"/><circle cx="55.5" cy="46" r="2.2" fill="#2b2320"/>
{{if .Glasses}}<g fill="none" stroke="#3b3431" stroke-width="1.6">
<circle cx="40.5" cy="46" r="6"/><circle cx="55.5" cy="46" r="6"/><path d="M46.5 46h3"/></g>{{end}}
<path d="M41 57q7 {{.Smile}} 14 0" fill="none" stroke="#8a3b34" stroke-width="2" stroke-linecap="round"/>
</svg>`))

var (
	backgrounds = []string{"#dfe9f5", "#f5e6d8", "#e2f0e4", "#f3e0ea", "#e8e4f5", "#fdf0c9", "#d9eeee"}
	clothes     = []string{"#36558f", "#8f3b3b", "#3f6b4f", "#5b4a7a", "#b0702c", "#30343f", "#7a8ca3"}
	skins       = []string{"#f7d7bf", "#eec39a", "#d9a066", "#b97a4b", "#8d5a3a", "#6b4229"}
	hairColours = []string{"#2a211c", "#4a3222", "#7b4a24", "#b58144", "#8b8b8b", "#191919"}
	hairs       = []string{
		"M26 52q-4-34 22-34t22 34l-4 6H30z",                      // short
		"M24 78q-4-62 24-62t24 62q-8 4-12-2V46H36v30q-4 6-12 2z", // long
		"M28 46a20 24 0 0 1 40 0z M48 22a10 10 0 1 1 .1 0z",      // bun
		"M22 50a26 27 0 0 1 52 0q2 12-8 14H30q-10-2-8-14z",       // curls
	}
	fringes = []string{
		"M29 42q4-20 19-20t19 20q-14-10-19-10t-19 10z",
		"M29 42q2-20 20-20 16 0 18 20-20-2-24-12-2 8-14 12z",
		"M30 36q8-14 18-14t18 14q-8-6-18-6t-18 6z",
	}
)

// writeFace draws the face of a demo member, always the same.
func writeFace(w io.Writer, p person) error {
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, p.handle, p.company)
	seed := h.Sum64()
	pick := func(from []string) template.HTMLAttr {
		s := template.HTMLAttr(from[seed%uint64(len(from))]) //nolint:gosec // shapes and colours from above
		seed /= uint64(len(from))
		return s
	}
	smile := []string{"3", "5", "7"}
	return faceTemplate.Execute(w, struct {
		Name                                                       string
		Background, Clothes, Skin, HairColour, Hair, Fringe, Smile template.HTMLAttr
		Glasses                                                    bool
	}{
		Name: p.name, Background: pick(backgrounds), Clothes: pick(clothes), Skin: pick(skins), HairColour: pick(hairColours),
		Hair: pick(hairs), Fringe: pick(fringes), Smile: pick(smile), Glasses: seed%3 == 0,
	})
}
