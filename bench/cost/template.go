package main

import (
	"fmt"
	"os"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// deployment is what template.yaml says of what costs: by the month, or by how
// large it is.
type deployment struct {
	memory   map[string]float64 // GB of each function, by its logical id
	alarms   int                // metrics that alarms look at, which is what they cost by
	keys     int
	polled   int // queues that Lambda polls
	evidence float64
	logs     float64
	backups  float64 // days that each is kept
}

func readTemplate(path string) (deployment, error) {
	d := deployment{memory: map[string]float64{}}
	data, err := os.ReadFile(path)
	if err != nil {
		return d, err
	}
	var t struct {
		Parameters map[string]struct {
			Default any `yaml:"Default"`
		} `yaml:"Parameters"`
		Resources map[string]struct {
			Type       string `yaml:"Type"`
			Condition  string `yaml:"Condition"`
			Properties struct {
				MemorySize yaml.Node `yaml:"MemorySize"`
				Metrics    []struct {
					MetricStat *yaml.Node `yaml:"MetricStat"`
				} `yaml:"Metrics"`
				Events map[string]struct {
					Type string `yaml:"Type"`
				} `yaml:"Events"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(data, &t); err != nil {
		return d, fmt.Errorf("read %s: %w", path, err)
	}
	for id, r := range t.Resources {
		switch r.Type {
		case "AWS::CloudWatch::Alarm":
			if r.Condition == "HasAlertEmail" { // which there is not by default
				continue
			}
			for _, m := range r.Properties.Metrics {
				if m.MetricStat != nil {
					d.alarms++
				}
			}
			if len(r.Properties.Metrics) == 0 {
				d.alarms++
			}
		case "AWS::KMS::Key":
			d.keys++
		case "AWS::Serverless::Function":
			memory, err := strconv.ParseFloat(r.Properties.MemorySize.Value, 64)
			if r.Properties.MemorySize.Tag == "!Ref" {
				n, ok := t.Parameters[r.Properties.MemorySize.Value].Default.(int)
				if memory, err = float64(n), nil; !ok {
					err = fmt.Errorf("parameter %s has no number for a default", r.Properties.MemorySize.Value)
				}
			}
			if err != nil {
				return d, fmt.Errorf("%s: memory of %s: %w", path, id, err)
			}
			d.memory[id] = memory / 1024
			for _, event := range r.Properties.Events {
				if event.Type == "SQS" {
					d.polled++
				}
			}
		}
	}
	for name, days := range map[string]*float64{"EvidenceRetentionDays": &d.evidence, "LogRetentionDays": &d.logs, "BackupRetentionDays": &d.backups} {
		n, ok := t.Parameters[name].Default.(int)
		if !ok {
			return d, fmt.Errorf("%s: parameter %s has no number for a default", path, name)
		}
		*days = float64(n)
	}
	return d, nil
}
