package model

import (
	"fmt"
	"slices"
)

// Severity ranks how much a failed check matters.
type Severity string

// The severities, gravest first.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
)

// Severities lists all of them, gravest first.
func Severities() []Severity { return []Severity{Critical, High, Medium, Low} }

// Weight is what a check of this severity counts in a score: critical 25, high
// 10, medium 5, low 1.
func (s Severity) Weight() int {
	switch s {
	case Critical:
		return 25
	case High:
		return 10
	case Medium:
		return 5
	case Low:
		return 1
	}
	return 0
}

// AtLeast reports whether s is as grave as floor, or graver.
func (s Severity) AtLeast(floor Severity) bool { return s.Weight() >= floor.Weight() }

// ParseSeverity accepts the four names.
func ParseSeverity(name string) (Severity, error) {
	if s := Severity(name); slices.Contains(Severities(), s) {
		return s, nil
	}
	return "", fmt.Errorf("unknown severity %q: want critical, high, medium or low", name)
}

// Pillar is a pillar of the AWS Well-Architected Framework.
type Pillar string

// The six pillars.
const (
	Security       Pillar = "security"
	Reliability    Pillar = "reliability"
	Performance    Pillar = "performance"
	Cost           Pillar = "cost"
	Operations     Pillar = "operational-excellence"
	Sustainability Pillar = "sustainability"
)

// Pillars lists all of them.
func Pillars() []Pillar {
	return []Pillar{Security, Reliability, Performance, Cost, Operations, Sustainability}
}
