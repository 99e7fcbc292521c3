package catalog

import (
	"strings"
	"unicode"
)

// formatWords says what a format of text is.
func formatWords(format string) string {
	switch format {
	case "email":
		return "address for e-mail, as in anna@example.org"
	case "phone":
		return "number of a telephone, as in +31 20 123 45 67"
	}
	return "address on the web, as in https://example.org/page"
}

// hasFormat says whether a text looks like what the format says. It finds what cannot be right (a
// form that was filled in wrongly); whether somebody answers there, only trying tells.
func hasFormat(s, format string) bool {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar }) {
		return false
	}
	switch format {
	case "email":
		return isEmail(s)
	case "phone":
		return isPhone(s)
	case "url":
		return isURL(s)
	}
	return true
}

// isEmail: one @; before it 1 to 64 bytes without blanks, and no dot first, last or doubled; after
// it a host with a dot; at most 254 bytes (RFC 5321). Quoted names and addresses of machines are refused.
func isEmail(s string) bool {
	name, host, ok := strings.Cut(s, "@")
	return ok && len(s) <= 254 && len(name) > 0 && len(name) <= 64 && !strings.ContainsAny(name, ` "(),:;<>[\]`) &&
		name[0] != '.' && name[len(name)-1] != '.' && !strings.Contains(name, "..") && isHost(host) && strings.Contains(host, ".")
}

// isHost: labels of 1 to 63 bytes of letters, digits and inner hyphens, joined by dots; the last is no number.
func isHost(s string) bool {
	if len(s) > 253 {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(r rune) bool {
				return r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
			}) {
			return false
		}
		last = label
	}
	return strings.Trim(last, "0123456789") != ""
}

// isPhone: 5 to 15 digits (E.164 has at most 15), a + before them or not, with blanks, dots, hyphens,
// slashes and brackets between them.
func isPhone(s string) bool {
	digits := 0
	for k, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r == '+' && k == 0, digits > 0 && strings.ContainsRune(" .-/()", r), r == '(':
		default:
			return false
		}
	}
	return digits >= 5 && digits <= 15
}

// isURL: http or https, a host and a port or none, and no blank; nothing before the host: a name and
// password in an address are no data to keep.
func isURL(s string) bool {
	scheme, rest, ok := strings.Cut(s, "://")
	if scheme = strings.ToLower(scheme); !ok || scheme != "http" && scheme != "https" || strings.ContainsAny(s, " \"<>\\^`{|}") {
		return false
	}
	host := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		host = rest[:end]
	}
	host, port, hasPort := strings.Cut(host, ":")
	if hasPort && (port == "" || len(port) > 5 || strings.Trim(port, "0123456789") != "") {
		return false
	}
	return isHost(host)
}
