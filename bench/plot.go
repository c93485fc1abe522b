package main

import (
	"fmt"
	"html"
	"math"
	"strings"

	"github.com/acquaint/acquaint/bench/internal/harness"
)

// The plots are written as SVG by hand: two kinds of them, for which a library of plots with its fonts and formats would be
// more than all of the rest.

// The measures of a plot.
const (
	plotWidth, plotHeight = 640, 380 // of the inside
	plotLeft, plotTop     = 60, 50
	legendWidth           = 420
	legendLine            = 20
	barLine, barLabel     = 26, 460
	gridLines             = 5
)

var colours = []string{
	"#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf", "#393b79", "#637939",
}

// drawing is an SVG that is being written.
type drawing struct{ strings.Builder }

func newDrawing(width, height int, title string) *drawing {
	d := &drawing{}
	fmt.Fprintf(d, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(d, `<rect width="%d" height="%d" fill="white"/>`+"\n", width, height)
	d.text(plotLeft, plotTop/2, "start", `font-size="15" font-weight="bold"`, title)
	return d
}

func (d *drawing) text(x, y float64, anchor, style, text string) {
	fmt.Fprintf(d, `<text x="%.1f" y="%.1f" text-anchor="%s" %s>%s</text>`+"\n", x, y, anchor, style, html.EscapeString(text))
}

func (d *drawing) line(x1, y1, x2, y2 float64, colour string) {
	fmt.Fprintf(d, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>`+"\n", x1, y1, x2, y2, colour)
}

func (d *drawing) done() string { return d.String() + "</svg>\n" }

// linePlot draws lines over a logarithmic scale of x.
func linePlot(c harness.Chart) string {
	height := plotTop + max(plotHeight, legendLine*len(c.Series)) + 50 //nolint:mnd // below the axis
	d := newDrawing(plotLeft+plotWidth+legendWidth, height, c.Title)
	low, high, top := math.Inf(1), math.Inf(-1), 0.0
	for _, s := range c.Series {
		for _, p := range s.Points {
			low, high, top = min(low, math.Log10(p.X)), max(high, math.Log10(p.X)), max(top, p.Y)
		}
	}
	if top == 0 {
		low, high, top = 0, 1, 1
	}
	if high == low {
		low, high = low-1, high+1
	}
	step := niceStep(top)
	top = math.Ceil(top/step) * step
	x := func(v float64) float64 { return plotLeft + plotWidth*(math.Log10(v)-low)/(high-low) }
	y := func(v float64) float64 { return plotTop + plotHeight*(1-v/top) }
	for v := 0.0; v <= top+step/2; v += step {
		d.line(plotLeft, y(v), plotLeft+plotWidth, y(v), "#ddd")
		d.text(plotLeft-6, y(v)+4, "end", "", fmt.Sprintf("%g %s", math.Round(v*100)/100, c.Y)) //nolint:mnd // beside the line
	}
	for decade := math.Ceil(low); decade <= high; decade++ {
		v := math.Pow(10, decade) //nolint:mnd // decades
		d.line(x(v), plotTop, x(v), plotTop+plotHeight, "#ddd")
		d.text(x(v), plotTop+plotHeight+18, "middle", "", harness.Number(v)+" "+c.X) //nolint:mnd // below the axis
	}
	for i, s := range c.Series {
		colour := colours[i%len(colours)]
		points := make([]string, len(s.Points))
		for j, p := range s.Points {
			points[j] = fmt.Sprintf("%.1f,%.1f", x(p.X), y(p.Y))
			fmt.Fprintf(d, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x(p.X), y(p.Y), colour)
		}
		fmt.Fprintf(d, `<polyline points="%s" fill="none" stroke="%s" stroke-width="1.5"/>`+"\n", strings.Join(points, " "), colour)
		at := float64(plotTop + legendLine*i)
		fmt.Fprintf(d, `<rect x="%d" y="%.1f" width="12" height="12" fill="%s"/>`+"\n", plotLeft+plotWidth+20, at, colour)
		d.text(plotLeft+plotWidth+38, at+11, "start", "", s.Name) //nolint:mnd // beside its colour
	}
	return d.done()
}

// niceStep gives 1, 2 or 5 times a power of ten: so that some lines of it reach the top.
func niceStep(top float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(top/gridLines))) //nolint:mnd // decades
	for _, times := range []float64{1, 2, 5} {
		if top/(power*times) <= gridLines {
			return power * times
		}
	}
	return power * 10 //nolint:mnd // decades
}

// barPlot draws how ours stands to the baseline, each as a bar, with a line where they are alike.
func barPlot(title string, ratios []harness.Ratio) string {
	height := plotTop + barLine*len(ratios) + 50 //nolint:mnd // below the axis
	d := newDrawing(barLabel+plotWidth, height, title)
	top := 1.0
	for _, r := range ratios {
		top = max(top, r.Value())
	}
	const right = 60
	x := func(v float64) float64 { return barLabel + (plotWidth-right)*v/top }
	end := float64(plotTop + barLine*len(ratios))
	for i, r := range ratios {
		at := float64(plotTop + barLine*i)
		better := "higher is better"
		good := r.Value() >= 1
		if r.Lower {
			better, good = "lower is better", r.Value() <= 1
		}
		colour := "#e0a060"
		if good {
			colour = "#5a9e6f"
		}
		width := x(r.Value()) - barLabel
		d.text(barLabel-8, at+15, "end", "", r.What+" ("+better+")")                                                     //nolint:mnd // beside its bar
		fmt.Fprintf(d, `<rect x="%d" y="%.1f" width="%.1f" height="18" fill="%s"/>`+"\n", barLabel, at+2, width, colour) //nolint:mnd // within its line
		d.text(x(r.Value())+6, at+15, "start", "", fmt.Sprintf("%.2f", r.Value()))                                       //nolint:mnd // beside its bar
	}
	d.line(x(1), plotTop-4, x(1), end, "#333") //nolint:mnd // a little above
	d.text(x(1), end+16, "middle", "", "baseline")
	return d.done()
}
