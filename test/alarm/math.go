package alarm

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
)

// series is a value for each period, the oldest first; nil is a missing one.
type series []*float64

func number(v float64) *float64 { return &v }

// calculate works out an expression of metric math over series, and of it what is
// needed here, which reads as an expression of Go: arithmetic, comparisons, && and ||,
// IF and FILL with a number. A value that is worked out of a missing one is missing.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
func calculate(expression string, known map[string]series, periods int) (series, error) {
	parsed, err := parser.ParseExpr(expression)
	if err != nil {
		return nil, fmt.Errorf("expression %q: %w", expression, err)
	}
	result, err := calculation{known, periods}.of(parsed)
	if err != nil {
		return nil, fmt.Errorf("expression %q: %w", expression, err)
	}
	return result, nil
}

type calculation struct {
	known   map[string]series
	periods int
}

func (c calculation) of(e ast.Expr) (series, error) {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return c.of(e.X)
	case *ast.Ident:
		s, ok := c.known[e.Name]
		if !ok {
			return nil, fmt.Errorf("no metric has the id %s", e.Name)
		}
		return s, nil
	case *ast.BasicLit:
		v, err := strconv.ParseFloat(e.Value, 64)
		return c.each(nil, func([]float64) float64 { return v }), err
	case *ast.BinaryExpr:
		f, ok := operators[e.Op]
		if !ok {
			return nil, fmt.Errorf("%s is not modelled", e.Op)
		}
		operands, err := c.all(e.X, e.Y)
		if err != nil {
			return nil, err
		}
		return c.each(operands, func(v []float64) float64 { return f(v[0], v[1]) }), nil
	case *ast.CallExpr:
		return c.call(e)
	}
	return nil, fmt.Errorf("%T is not modelled", e)
}

func (c calculation) call(e *ast.CallExpr) (series, error) {
	name, _ := e.Fun.(*ast.Ident)
	switch {
	case name != nil && name.Name == "IF" && len(e.Args) == 3:
		operands, err := c.all(e.Args...)
		if err != nil {
			return nil, err
		}
		return c.each(operands, func(v []float64) float64 {
			if v[0] != 0 {
				return v[1]
			}
			return v[2]
		}), nil
	case name != nil && name.Name == "FILL" && len(e.Args) == 2:
		if _, isNumber := e.Args[1].(*ast.BasicLit); !isNumber {
			return nil, fmt.Errorf("FILL with anything but a number is not modelled")
		}
		operands, err := c.all(e.Args...)
		if err != nil {
			return nil, err
		}
		filled := make(series, c.periods)
		for i := range filled {
			if filled[i] = operands[0][i]; filled[i] == nil {
				filled[i] = operands[1][i]
			}
		}
		return filled, nil
	}
	return nil, fmt.Errorf("a function that is not modelled, or not with %d arguments", len(e.Args))
}

func (c calculation) all(expressions ...ast.Expr) ([]series, error) {
	var all []series
	for _, e := range expressions {
		s, err := c.of(e)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// each works out every period for itself.
func (c calculation) each(operands []series, f func([]float64) float64) series {
	out := make(series, c.periods)
period:
	for i := range out {
		var values []float64
		for _, s := range operands {
			if s[i] == nil {
				continue period
			}
			values = append(values, *s[i])
		}
		out[i] = number(f(values))
	}
	return out
}

var operators = map[token.Token]func(a, b float64) float64{
	token.ADD:  func(a, b float64) float64 { return a + b },
	token.SUB:  func(a, b float64) float64 { return a - b },
	token.MUL:  func(a, b float64) float64 { return a * b },
	token.EQL:  func(a, b float64) float64 { return truth(a == b) },
	token.NEQ:  func(a, b float64) float64 { return truth(a != b) },
	token.LSS:  func(a, b float64) float64 { return truth(a < b) },
	token.LEQ:  func(a, b float64) float64 { return truth(a <= b) },
	token.GTR:  func(a, b float64) float64 { return truth(a > b) },
	token.GEQ:  func(a, b float64) float64 { return truth(a >= b) },
	token.LAND: func(a, b float64) float64 { return truth(a != 0 && b != 0) },
	token.LOR:  func(a, b float64) float64 { return truth(a != 0 || b != 0) },
}

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
