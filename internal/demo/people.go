package demo

// person is a demo member. The team decides who knows whom.
type person struct {
	handle, name, headline, company, industry, location string
	team                                                int
}

var people = []person{
	{"ada", "Ada Lindqvist", "Staff engineer, databases", "Northwind Data", "Software", "Stockholm", 0},
	{"bruno", "Bruno Carvalho", "Engineering manager", "Northwind Data", "Software", "Lisbon", 0},
	{"chidi", "Chidi Okafor", "Site reliability engineer", "Northwind Data", "Software", "Lagos", 0},
	{"dilara", "Dilara Yılmaz", "Product manager, analytics", "Northwind Data", "Software", "Istanbul", 0},
	{"emil", "Emil Novák", "Developer advocate", "Northwind Data", "Software", "Prague", 0},
	{"fatima", "Fatima Zahra El Idrissi", "Data engineer", "Northwind Data", "Software", "Casablanca", 0},
	{"grace", "Grace Mbeki", "Head of design", "Lantern Studio", "Design", "Cape Town", 1},
	{"hiro", "Hiro Tanaka (田中 寛)", "Interaction designer", "Lantern Studio", "Design", "Osaka", 1},
	{"ines", "Inês Moreira", "Illustrator", "Lantern Studio", "Design", "Porto", 1},
	{"jonas", "Jonas Weber", "Type designer", "Lantern Studio", "Design", "Leipzig", 1},
	{"kavya", "Kavya Raman", "Design researcher", "Lantern Studio", "Design", "Bengaluru", 1},
	{"leila", "Leila Haddad (ليلى حداد)", "Brand strategist", "Lantern Studio", "Design", "Beirut", 1},
	{"mateo", "Mateo Rossi", "Partner", "Harbour Ventures", "Venture capital", "Milan", 2},
	{"nadia", "Nadia Petrova", "Principal, climate", "Harbour Ventures", "Venture capital", "Sofia", 2},
	{"oscar", "Oscar Nilsen", "Associate", "Harbour Ventures", "Venture capital", "Oslo", 2},
	{"priya", "Priya Nair", "Founder", "Tidewater Energy", "Energy", "Kochi", 2},
	{"quentin", "Quentin Dubois", "Chief financial officer", "Tidewater Energy", "Energy", "Nantes", 2},
	{"rosa", "Rosa Jiménez", "Hydrologist", "Tidewater Energy", "Energy", "Valencia", 2},
	{"samuel", "Samuel Cohen", "Talent partner", "Brightwork People", "Recruiting", "Haifa", 3},
	{"tove", "Tove Aaltonen", "Technical recruiter", "Brightwork People", "Recruiting", "Helsinki", 3},
	{"umar", "Umar Siddiqui", "Career coach", "Brightwork People", "Recruiting", "Lahore", 3},
	{"valentina", "Valentina Ortiz", "People operations", "Brightwork People", "Recruiting", "Bogotá", 3},
	{"wen", "Wen Li (李文)", "Professor of networks", "Lakeside University", "Education", "Hangzhou", 4},
	{"ximena", "Ximena Castro", "PhD student, graph theory", "Lakeside University", "Education", "Mexico City", 4},
	{"yusuf", "Yusuf Demir", "Lecturer, statistics", "Lakeside University", "Education", "Ankara", 4},
	{"zoe", "Zoë van Dijk", "Librarian", "Lakeside University", "Education", "Utrecht", 4},
	{"aiko", "Aiko Mori", "Security researcher", "Independent", "Software", "Kyoto", 5},
	{"ben", "Ben Adeyemi", "Photographer", "Independent", "Media", "London", 5},
	{"clara", "Clara Schmidt", "Science journalist", "Independent", "Media", "Vienna", 5},
	{"dmitri", "Dmitri Volkov", "Open source maintainer", "Independent", "Software", "Tbilisi", 5},
}

// bridges are connections beyond the teams, which give the network its second and third degrees.
var bridges = [][2]string{
	{"ada", "wen"}, {"ada", "grace"}, {"bruno", "samuel"}, {"chidi", "aiko"}, {"emil", "dmitri"}, {"emil", "clara"},
	{"grace", "ben"}, {"hiro", "aiko"}, {"kavya", "priya"}, {"leila", "mateo"}, {"mateo", "bruno"}, {"nadia", "clara"},
	{"priya", "wen"}, {"samuel", "nadia"}, {"tove", "chidi"}, {"umar", "fatima"}, {"ximena", "dmitri"}, {"yusuf", "dilara"},
	{"zoe", "clara"}, {"ines", "ben"},
}

// pending are invitations that wait for an answer.
var pending = []struct{ from, to, note string }{
	{"clara", "ada", "I am writing about the databases behind weather models. May I ask you three questions?"},
	{"samuel", "ada", "We met at the meetup in Malmö. I would like to stay in touch."},
	{"dmitri", "ada", ""},
	{"oscar", "grace", "Your talk on calm interfaces was the best of the conference."},
	{"ximena", "grace", ""},
	{"valentina", "wen", "Our graduates keep naming you. Coffee?"},
	{"jonas", "aiko", ""},
	{"ben", "mateo", "The pictures of your portfolio day are ready."},
	{"rosa", "emil", ""},
}
