package demo

import (
	"strings"

	"github.com/acquaint/acquaint/internal/member"
)

// told is what a demo member tells of themselves beyond the headline. Their present position is the one of their headline,
// since a month; lists are separated by commas.
type told struct {
	about                        string
	since                        string
	earlier                      []member.Position
	school, field, from, to      string
	skills, languages, interests string
}

func at(company, title, from, to string) member.Position {
	return member.Position{Company: company, Title: title, StartedOn: from, EndedOn: to}
}

// profile is what a person has told, as they would have typed it.
func (p person) profile() *member.ProfileChange {
	t, ok := profiles[p.handle]
	if !ok {
		return nil
	}
	return &member.ProfileChange{
		About:     &t.about,
		Positions: append([]member.Position{at(p.company, p.headline, t.since, "")}, t.earlier...),
		Education: []member.Education{{School: t.school, Field: t.field, StartedOn: t.from, EndedOn: t.to}},
		Skills:    strings.Split(t.skills, ", "), Languages: strings.Split(t.languages, ", "), Interests: strings.Split(t.interests, ", "),
	}
}

// private are those who keep some of it to themselves, and those who share more than others do.
var private = map[string]member.PrivacyChange{
	"aiko":    {WhoSeesProfile: new(member.ProfileForConnections), WhoSeesConnections: new(member.ConnectionsForOneself)},
	"mateo":   {WhoSeesConnections: new(member.ConnectionsForOneself)},
	"quentin": {WhoSeesProfile: new(member.ProfileForConnections)},
	"emil":    {ShareEmail: new(true)},
	"samuel":  {ShareEmail: new(true)},
	"grace":   {ShareEmail: new(true)},
}

var profiles = map[string]told{
	"ada": {
		about: "I make databases that do not lose things. Fifteen years of storage engines, most of them spent deleting code.\n\nAsk me about write-ahead logs.",
		since: "2019-03", earlier: []member.Position{
			at("Brightwork People", "Backend engineer", "2014-08", "2019-02"),
			at("Lakeside University", "Research assistant", "2012-09", "2014-07"),
		},
		school: "Lakeside University", field: "Computer science", from: "2007-09", to: "2012-06",
		skills: "PostgreSQL, Storage engines, Go, C, Consistency models", languages: "Swedish, English, Finnish", interests: "Sailing, Choir, Old maps",
	},
	"bruno": {
		about: "Manager of managers, after ten years of writing billing systems. I care for calendars with holes in them.",
		since: "2020-01", earlier: []member.Position{
			at("Northwind Data", "Senior engineer", "2016-05", "2019-12"),
			at("Harbour Ventures", "Engineer in residence", "2015-01", "2016-04"),
		},
		school: "University of Lisbon", field: "Informatics", from: "2004-09", to: "2009-07",
		skills: "Leadership, Hiring, Java, Incident reviews", languages: "Portuguese, English, Italian", interests: "Surfing, Tiles, Football",
	},
	"chidi": {
		about: "I keep the lights on, and write down why they went out.",
		since: "2021-06", earlier: []member.Position{at("Brightwork People", "Systems administrator", "2017-02", "2021-05")},
		school: "University of Lagos", field: "Electrical engineering", from: "2012-10", to: "2016-11",
		skills: "Linux, Kubernetes, Observability, Capacity planning, Go", languages: "Igbo, English, Yoruba",
		interests: "Highlife, Chess, Moral philosophy",
	},
	"dilara": {
		about: "Product manager for people who like numbers, and for those who do not.",
		since: "2018-11", earlier: []member.Position{at("Lantern Studio", "Product designer", "2015-03", "2018-10")},
		school: "Boğaziçi University", field: "Industrial engineering", from: "2009-09", to: "2014-06",
		skills: "Analytics, Road maps, SQL, Interviews", languages: "Turkish, English, German", interests: "Ferries, Cats, Letterpress",
	},
	"emil": {
		about: "I explain databases to people with deadlines. Conference talks, sample code, and the occasional apology.",
		since: "2022-02", earlier: []member.Position{
			at("Independent", "Technical writer", "2018-06", "2022-01"),
			at("Northwind Data", "Support engineer", "2015-09", "2018-05"),
		},
		school: "Charles University", field: "Linguistics", from: "2008-10", to: "2013-06",
		skills: "Writing, Public speaking, Python, Documentation", languages: "Czech, English, Slovak, German", interests: "Puppetry, Trams, Mushrooms",
	},
	"fatima": {
		about: "Pipelines that finish before breakfast.",
		since: "2020-09", earlier: []member.Position{at("Tidewater Energy", "Data analyst", "2017-08", "2020-08")},
		school: "Mohammadia School of Engineers", field: "Computer engineering", from: "2011-09", to: "2016-07",
		skills: "SQL, Spark, Airflow, Data modelling", languages: "Arabic, French, English, Tamazight", interests: "Hiking, Oud, Ceramics",
	},
	"grace": {
		about: "I lead the designers at Lantern, and still draw every day. Interfaces should lower the voice in the room.",
		since: "2017-04", earlier: []member.Position{
			at("Lantern Studio", "Lead designer", "2013-01", "2017-03"),
			at("Independent", "Illustrator", "2009-05", "2012-12"),
		},
		school: "Michaelis School of Fine Art", field: "Visual communication", from: "2005-02", to: "2008-12",
		skills: "Design leadership, Typography, Prototyping, Critique", languages: "isiXhosa, English, Afrikaans",
		interests: "Trail running, Jazz, Proteas",
	},
	"hiro": {
		about: "Buttons, gestures, and the pauses between them.",
		since: "2016-10", earlier: []member.Position{at("Independent", "Game designer", "2011-04", "2016-09")},
		school: "Osaka University of Arts", field: "Interaction design", from: "2006-04", to: "2010-03",
		skills: "Interaction design, Motion, Accessibility, Swift", languages: "Japanese, English", interests: "Arcades, Tea, Night trains",
	},
	"ines": {
		about: "Illustrations for books, exhibitions and error pages.",
		since: "2019-01", earlier: []member.Position{at("Independent", "Illustrator", "2014-09", "2018-12")},
		school: "University of Porto", field: "Fine arts", from: "2009-09", to: "2014-06",
		skills: "Illustration, Screen printing, Animation", languages: "Portuguese, English, French", interests: "Bookshops, Azulejos, Swimming",
	},
	"jonas": {
		about: "I draw letters. Ask me why your numerals dance.",
		since: "2015-03", earlier: []member.Position{at("Independent", "Type designer", "2010-01", "2015-02")},
		school: "Academy of Fine Arts Leipzig", field: "Type design", from: "2003-10", to: "2009-07",
		skills: "Type design, Python, Lettering, Font engineering", languages: "German, English", interests: "Bookbinding, Bouldering, Bach",
	},
	"kavya": {
		about: "I sit with people while they use things, and say little.",
		since: "2020-06", earlier: []member.Position{at("Tidewater Energy", "Field researcher", "2017-07", "2020-05")},
		school: "National Institute of Design", field: "Design research", from: "2014-07", to: "2017-05",
		skills: "Interviews, Ethnography, Statistics, Workshops", languages: "Kannada, Tamil, English, Hindi",
		interests: "Bird watching, Carnatic music, Filter coffee",
	},
	"leila": {
		about: "Brands are promises; I help to make fewer of them, and keep them.",
		since: "2018-02", earlier: []member.Position{at("Harbour Ventures", "Communications lead", "2013-05", "2018-01")},
		school: "American University of Beirut", field: "Business", from: "2005-09", to: "2009-06",
		skills: "Strategy, Naming, Copywriting, Facilitation", languages: "Arabic, French, English", interests: "Cinema, Pistachios, Cycling",
	},
	"mateo": {
		about: "Early money for climate and tools. I answer every letter, if not always at once.",
		since: "2014-01", earlier: []member.Position{at("Northwind Data", "Adviser", "2012-03", "2013-12")},
		school: "Bocconi University", field: "Economics", from: "1999-09", to: "2004-07",
		skills: "Venture capital, Boards, Term sheets", languages: "Italian, English, Spanish", interests: "Photography, Mountains, Espresso machines",
	},
	"nadia": {
		about: "Climate physicist turned investor. I read the appendix first.",
		since: "2019-09", earlier: []member.Position{at("Lakeside University", "Postdoctoral researcher", "2015-10", "2019-08")},
		school: "Sofia University", field: "Atmospheric physics", from: "2007-10", to: "2015-06",
		skills: "Climate models, Due diligence, Fortran, Fundraising", languages: "Bulgarian, English, Russian, French",
		interests: "Glaciers, Folk dance, Science fiction",
	},
	"oscar": {
		about: "First job out of university, and I like it.",
		since: "2024-08", school: "University of Oslo", field: "Mathematics and finance", from: "2019-08", to: "2024-06",
		skills: "Spreadsheets, Market research, Python", languages: "Norwegian, English, Danish", interests: "Skiing, Synthesizers, Board games",
	},
	"priya": {
		about: "Founder of Tidewater: power from the tide, bought by the hour. Three pilots, one of them under water right now.",
		since: "2017-05", earlier: []member.Position{at("Harbour Ventures", "Entrepreneur in residence", "2016-06", "2017-04")},
		school: "Indian Institute of Technology Madras", field: "Ocean engineering", from: "2008-07", to: "2013-05",
		skills: "Ocean engineering, Fundraising, Team building, Permits", languages: "Malayalam, English, Hindi, Tamil",
		interests: "Rowing, Backwaters, Crosswords",
	},
	"quentin": {
		about: "I count, so that others may build.",
		since: "2018-03", earlier: []member.Position{at("Harbour Ventures", "Controller", "2011-02", "2018-02")},
		school: "Audencia", field: "Finance", from: "2003-09", to: "2008-06",
		skills: "Accounting, Forecasts, Grants", languages: "French, English", interests: "Oysters, Cycling, Detective novels",
	},
	"rosa": {
		about: "Hydrologist. Rivers remember more than we do.",
		since: "2021-01", earlier: []member.Position{at("Lakeside University", "Research fellow", "2016-09", "2020-12")},
		school: "Polytechnic University of Valencia", field: "Hydrology", from: "2010-09", to: "2016-07",
		skills: "Hydrology, R, Field work, Remote sensing", languages: "Spanish, Valencian, English", interests: "Kayaking, Paella, Weather stations",
	},
	"samuel": {
		about: "I introduce people to teams they would have liked to know of. Ask me before you need me.",
		since: "2016-01", earlier: []member.Position{at("Northwind Data", "Head of hiring", "2011-06", "2015-12")},
		school: "University of Haifa", field: "Psychology", from: "2004-10", to: "2008-07",
		skills: "Executive search, Interviewing, Negotiation", languages: "Hebrew, English, Russian", interests: "Sourdough, Table tennis, Archives",
	},
	"tove": {
		about: "Technical recruiter who reads the code first.",
		since: "2019-05", earlier: []member.Position{at("Independent", "Web developer", "2014-02", "2019-04")},
		school: "Aalto University", field: "Media technology", from: "2009-09", to: "2014-01",
		skills: "Sourcing, JavaScript, Interview design", languages: "Finnish, Swedish, English", interests: "Ice swimming, Knitting, Tango",
	},
	"umar": {
		about: "Career coach. Most plans get better when said aloud.",
		since: "2020-02", earlier: []member.Position{at("Lakeside University", "Student counsellor", "2013-08", "2020-01")},
		school: "University of the Punjab", field: "Education", from: "2007-09", to: "2011-06",
		skills: "Coaching, Mediation, Public speaking", languages: "Urdu, Punjabi, English", interests: "Cricket, Ghazals, Gardening",
	},
	"valentina": {
		about: "People operations: contracts, pay, and somebody to talk to.",
		since: "2021-10", earlier: []member.Position{at("Lantern Studio", "Office manager", "2018-01", "2021-09")},
		school: "National University of Colombia", field: "Law", from: "2011-01", to: "2016-12",
		skills: "Labour law, Payroll, Onboarding", languages: "Spanish, English, Portuguese", interests: "Salsa, Orchids, Podcasts",
	},
	"wen": {
		about: "I study how networks grow, and who is left out when they do. Office hours on Thursdays.",
		since: "2012-09", earlier: []member.Position{
			at("Lakeside University", "Associate professor", "2006-09", "2012-08"),
			at("Lakeside University", "Lecturer", "2001-09", "2006-08"),
		},
		school: "Zhejiang University", field: "Mathematics", from: "1992-09", to: "2001-06",
		skills: "Network science, Graph theory, Teaching, Statistics", languages: "Mandarin, Wu, English", interests: "Go, Calligraphy, Longjing tea",
	},
	"ximena": {
		about: "PhD student: triangles in sparse graphs, and what they say about friendship.",
		since: "2023-09", earlier: []member.Position{at("Northwind Data", "Intern, query planning", "2022-06", "2022-09")},
		school: "National Autonomous University of Mexico", field: "Mathematics", from: "2018-08", to: "2023-06",
		skills: "Graph theory, Rust, Proofs", languages: "Spanish, English, Nahuatl", interests: "Murals, Roller skating, Olympiads",
	},
	"yusuf": {
		about: "Lecturer in statistics. The error bars are the interesting part.",
		since: "2016-02", earlier: []member.Position{at("Northwind Data", "Statistician", "2012-07", "2016-01")},
		school: "Middle East Technical University", field: "Statistics", from: "2003-09", to: "2012-06",
		skills: "Statistics, R, Teaching, Experiment design", languages: "Turkish, English", interests: "Backgammon, Steppe birds, Radio",
	},
	"zoe": {
		about: "Librarian. I know where it is, or who does.",
		since: "2014-05", earlier: []member.Position{at("Independent", "Archivist", "2010-03", "2014-04")},
		school: "University of Amsterdam", field: "Information science", from: "2004-09", to: "2009-08",
		skills: "Cataloguing, Metadata, Open access", languages: "Dutch, English, German, French", interests: "Canals, Quilts, Cold cases",
	},
	"aiko": {
		about: "I find the holes before others do. Keys on request.",
		since: "2018-07", earlier: []member.Position{at("Northwind Data", "Security engineer", "2014-04", "2018-06")},
		school: "Kyoto University", field: "Cryptography", from: "2008-04", to: "2014-03",
		skills: "Reverse engineering, Cryptography, Fuzzing", languages: "Japanese, English", interests: "Locks, Moss gardens, Motorcycles",
	},
	"ben": {
		about: "Portraits of people at work, mostly by window light.",
		since: "2015-06", earlier: []member.Position{at("Lantern Studio", "Staff photographer", "2012-01", "2015-05")},
		school: "University of the Arts London", field: "Photography", from: "2008-09", to: "2011-07",
		skills: "Photography, Lighting, Retouching", languages: "English, Yoruba", interests: "Cameras, Afrobeat, Allotments",
	},
	"clara": {
		about: "I write about science for people who have ten minutes. Tips are welcome, and stay with me.",
		since: "2017-10", earlier: []member.Position{at("Lakeside University", "Press officer", "2013-03", "2017-09")},
		school: "University of Vienna", field: "Physics", from: "2006-10", to: "2012-06",
		skills: "Journalism, Editing, Data stories", languages: "German, English, French", interests: "Coffee houses, Opera, Lake swimming",
	},
	"dmitri": {
		about: "I maintain things that you have installed without knowing it. Sponsored by patience.",
		since: "2016-04", earlier: []member.Position{at("Northwind Data", "Engineer", "2011-09", "2016-03")},
		school: "Tbilisi State University", field: "Applied mathematics", from: "2005-09", to: "2010-06",
		skills: "C, Release engineering, Code review, Compilers", languages: "Russian, Georgian, English", interests: "Khachapuri, Ham radio, Chess",
	},
}
