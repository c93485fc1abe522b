package graphqlhttp

import (
	"mime"
	"regexp"
	"strconv"
	"strings"
)

// The media types of responses.
const (
	typeResponse = "application/graphql-response+json"
	typeJSON     = "application/json"
)

// negotiate chooses the media type of the response by an Accept header: the acceptable one with the greatest quality,
// application/json where both are alike but for a more specific or earlier mention. False when neither is acceptable.
func negotiate(accept string) (string, bool) {
	if strings.TrimSpace(accept) == "" {
		return typeJSON, true
	}
	jsonRange := bestRange(accept, typeJSON)
	responseRange := bestRange(accept, typeResponse)
	switch {
	case jsonRange.quality == 0 && responseRange.quality == 0:
		return "", false
	case responseRange.quality != jsonRange.quality:
		if responseRange.quality > jsonRange.quality {
			return typeResponse, true
		}
	case responseRange.specificity > jsonRange.specificity,
		responseRange.specificity == jsonRange.specificity && responseRange.place < jsonRange.place:
		return typeResponse, true
	}
	return typeJSON, true
}

// exactly is the specificity of a media type that is named itself.
const exactly = 3

// mediaRange is what one part of an Accept header says of a media type.
type mediaRange struct {
	quality     float64
	specificity int // exactly for the type itself, 2 for application/*, 1 for */*
	place       int
}

// qvalue is a quality (RFC 9110, section 12.4.2).
var qvalue = regexp.MustCompile(`^(0(\.\d{0,3})?|1(\.0{0,3})?)$`)

// bestRange finds the most specific part that covers a media type; its quality is what counts (RFC 9110, 12.5.1).
func bestRange(accept, mediaType string) mediaRange {
	best := mediaRange{}
	for place, part := range strings.Split(accept, ",") {
		name, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		if charset, ok := params["charset"]; ok && !isUTF8(charset) {
			continue
		}
		specificity := 0
		switch name {
		case mediaType:
			specificity = exactly
		case "application/*":
			specificity = 2
		case "*/*":
			specificity = 1
		}
		if specificity <= best.specificity {
			continue
		}
		quality := 1.0
		if q, ok := params["q"]; ok {
			quality = 0
			if qvalue.MatchString(q) {
				quality, _ = strconv.ParseFloat(q, 64) // it matches
			}
		}
		best = mediaRange{quality, specificity, place}
	}
	return best
}

func isUTF8(charset string) bool {
	return strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8")
}
