package main

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

// use is the most that a run uses of what AWS charges for, in the units of
// bench/prices.tsv: of what lasts, how many there are; of the rest, how much. It is some
// times what a run against the emulator counts. Restoring a table of some kilobytes, and
// storing what there is for minutes, costs nothing that could be seen.
var use = []struct {
	unit   string
	amount float64
	lasts  bool // paid by the month, of which CloudWatch and KMS charge the hours
}{
	{"kms.key", 1, true},
	{"alarm", 19, true},
	{"metric", 40, true}, // that the functions write; AWS's own are free
	{"lambda.gb_second", 500, false},
	{"lambda.request", 2000, false},
	{"api.request", 1000, false},
	{"s3.put", 500, false},
	{"s3.get", 2000, false},
	{"dynamodb.write", 5000, false},
	{"dynamodb.read", 10000, false},
	{"sqs.request", 5000, false}, // most of them Lambda's pollers'
	{"sns.publish", 100, false},
	{"kms.request", 1000, false},
	{"logs.gb", 0.01, false},
}

const hoursOfAMonth = 730

// estimate is what a run costs at most that lasts so long, in dollars.
func estimate(list string, lasts time.Duration) (float64, error) {
	data, err := os.ReadFile(list)
	if err != nil {
		return 0, fmt.Errorf("read the prices: %w", err)
	}
	price := map[string]float64{}
	for line := range strings.Lines(string(data)) {
		f := strings.Split(line, "\t")
		if strings.HasPrefix(line, "#") || len(f) < 5 {
			continue
		}
		dollars, err := strconv.ParseFloat(f[3], 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", list, err)
		}
		per, err := strconv.ParseFloat(f[4], 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", list, err)
		}
		price[f[0]] = dollars / per
	}
	months := math.Ceil(lasts.Hours()) / hoursOfAMonth
	sum := 0.0
	for _, u := range use {
		each, known := price[u.unit]
		if !known {
			return 0, fmt.Errorf("%s has no price of %q", list, u.unit)
		}
		if u.lasts {
			each *= months
		}
		sum += each * u.amount
	}
	return math.Ceil(sum*100) / 100, nil
}
