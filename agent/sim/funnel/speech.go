package funnel

import (
	"fmt"
	"strings"
	"time"
)

// Speech is a language in which customers are told things: the words that every
// such text shares.
type Speech struct {
	Language string // en, nl or de
	words    *words
}

// Speak returns a language, English where there are no words for it.
func Speak(language string) Speech {
	if w := languages[language]; w != nil {
		return Speech{language, w}
	}
	return Speech{"en", &english}
}

// Date says a day with its year.
func (s Speech) Date(t time.Time) string {
	return fmt.Sprintf(s.words.day+" %d", t.Day(), s.words.months[t.Month()-1], t.Year())
}

// YesNo says whether.
func (s Speech) YesNo(yes bool) string {
	if yes {
		return s.words.yes
	}
	return s.words.no
}

// And makes "a, b and c" of a list; nothing of an empty one.
func (s Speech) And(list []string) string {
	switch len(list) {
	case 0:
		return ""
	case 1:
		return list[0]
	}
	last := len(list) - 1
	return strings.Join(list[:last], ", ") + " " + s.words.and + " " + list[last]
}

// Plain is a declared name with blanks for what joins its words.
func Plain(name string) string { return plainName(name) }
