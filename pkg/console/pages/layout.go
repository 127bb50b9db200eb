package pages

import (
	"cmp"
	"strconv"
)

func orText(kind string) string { return cmp.Or(kind, "text") }

func orOff(autocomplete string) string { return cmp.Or(autocomplete, "off") }

func number(n int) string { return strconv.Itoa(n) }

// refresh is what the page's head says of it.
func (o onward) refresh() string { return number(o.Seconds) + "; url=" + o.To }
