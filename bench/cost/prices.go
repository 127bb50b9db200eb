package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/cloudarq/cloudarq/bench/meter"
)

// price is what AWS asks for some units.
type price struct {
	unit    meter.Unit
	service string
	what    string
	dollars float64 // for one unit
	list    string  // as the list says it
	source  string
	seen    string // how it was confirmed
}

// priceList is all prices, in the order of the file.
type priceList []price

// readPrices reads bench/prices.tsv: unit, service, what it is, dollars, for how
// many, the source, and how that was confirmed. Lines that begin with # are for
// people.
func readPrices(path string) (priceList, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all priceList
	for i, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 7 {
			return nil, fmt.Errorf("%s:%d: %d fields, want 7", path, i+1, len(f))
		}
		dollars, err := strconv.ParseFloat(f[3], 64)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
		per, err := strconv.ParseFloat(f[4], 64)
		if err != nil || per <= 0 {
			return nil, fmt.Errorf("%s:%d: for how many: %q", path, i+1, f[4])
		}
		list := "$" + f[3]
		if per != 1 {
			list += " per " + thousands(per)
		}
		all = append(all, price{meter.Unit(f[0]), f[1], f[2], dollars / per, list, f[5], f[6]})
	}
	return all, nil
}

// find is the price of a unit. That one is missing is an error of the program.
func (l priceList) find(u meter.Unit) (price, error) {
	for _, p := range l {
		if p.unit == u {
			return p, nil
		}
	}
	return price{}, fmt.Errorf("%s has no price of %q", pricesPath, u)
}

// thousands writes a number with separators.
func thousands(n float64) string {
	digits := strconv.FormatFloat(n, 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
