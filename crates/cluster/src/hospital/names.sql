-- The hospital's own short lists, drawn from by number. Everything in them is made up or so common
-- that it points at nobody; places are invented, with ZIP codes in real three-digit areas.
CREATE TEMP TABLE given (sex char(1), number int, name text);
INSERT INTO given
SELECT 'F', ordinality - 1, name FROM unnest(string_to_array(
  'Ada Amara Anneke Aoife Beatriz Birgit Carmen Celeste Chiara Dalia Delphine Edith Elif Esther '
  'Farah Fiona Freya Greta Hana Helena Imani Ines Ingrid Iris Jadwiga Joana Juno Kalinda Katya '
  'Lena Leilani Liv Lucia Mabel Maren Mei Mira Nadia Naomi Noor Odile Olga Paloma Petra Priya '
  'Rosa Ruth Sabine Saskia Signe Soledad Tamsin Thea Una Vera Willa Xiomara Yara Yuki Zora', ' '))
  WITH ORDINALITY AS list (name, ordinality);
INSERT INTO given
SELECT 'M', ordinality - 1, name FROM unnest(string_to_array(
  'Abel Alasdair Amadou Anders Anselm Arjun Bastian Bruno Caspar Cyrus Darius Diego Dmitri Edgar '
  'Emil Esteban Ezra Felix Finn Gael Gideon Hamid Henrik Hiro Hugo Ibrahim Ivo Jasper Jonas Kofi '
  'Lars Leander Linus Luca Magnus Malik Marek Mateo Milo Nils Noam Oskar Otto Pavel Quentin Rafael '
  'Ravi Ruben Samir Silas Soren Tariq Theo Tobias Ulises Viktor Wim Xavier Yusuf Zeno', ' '))
  WITH ORDINALITY AS list (name, ordinality);

CREATE TEMP TABLE family (number int PRIMARY KEY, name text);
INSERT INTO family
SELECT ordinality - 1, name FROM unnest(string_to_array(
  'Abernathy Achterberg Adeyemi Albescu Ambrose Arvidsen Ashdown Baptiste Barrowclough Bellweather '
  'Bhandari Birkholm Blackwood Bohlander Brennecke Callaghan Carvalho Castellane Chowdhury Cloverly '
  'Corrigan Crespillo Dahlquist Danjuma Delacroix Dimitrov Dornbusch Eastlake Eisenmann Engström '
  'Escarra Fairweather Falkenrath Ferreira Fontaine Forsythe Galbraith Ganesan Garnett Geraghty '
  'Goldwater Grindelwold Hallström Haraldsen Hawthorne Hendrickx Holloway Hummelgaard Ishikawa '
  'Ivanchuk Jablonski Jerome Kallistrat Karimi Kendrick Kirchner Kowalczyk Lachlan Lindqvist '
  'Lovelace Makinde Marchetti Mbeki Merriweather Montalban Nakagawa Novotna Oakenfold Obuya '
  'O''Farrell Okonkwo Oyelaran Palmgren Papadakis Pemberton Quillfeather Ramanathan Redfern '
  'Rosenqvist Rutherglen Sabbatini Santamaria Schwarzwald Seidelmann Silverlake Szymanska Takahara '
  'Thistlewood Tolliver Umarov Underhill Valdivieso Vandermeer Vasquez-Roy Villanova Wainwright '
  'Wetherby Winterbourne Wolanski Yamamori Yellowley Zabala Zimmerling Zuberi', ' '))
  WITH ORDINALITY AS list (name, ordinality);

CREATE TEMP TABLE street (number int PRIMARY KEY, name text);
INSERT INTO street
SELECT ordinality - 1, name FROM unnest(string_to_array(
  'Alder Way,Beacon Hill Rd,Canal St,Dovecote Ln,Elm Crescent,Foundry St,Garnet Ave,Heron Ct,'
  'Ironbridge Rd,Juniper Dr,Kestrel Ln,Lantern St,Millrace Rd,Nutmeg Ct,Orchard Blvd,Pilgrim Way,'
  'Quarry Rd,Ropewalk St,Saltmarsh Ave,Tannery Ln,Upland Dr,Vesper Ct,Weaver St,Yarrow Ave', ','))
  WITH ORDINALITY AS list (name, ordinality);

-- 036, 059, 102, 203, 556, 692, 821, 878, 879 are areas of 20,000 people or fewer, whose first
-- three digits safe harbor withholds.
CREATE TEMP TABLE place (number int PRIMARY KEY, city text, state char(2), zip3 char(3));
INSERT INTO place VALUES
  (0, 'Harrowgate', 'MA', '021'), (1, 'Brindle Falls', 'NY', '100'), (2, 'Port Lisbet', 'NJ', '074'),
  (3, 'Marlowe', 'PA', '191'), (4, 'Saint Orin', 'MD', '212'), (5, 'Ashbourne', 'VA', '232'),
  (6, 'Tidewell', 'NC', '282'), (7, 'Palmetto Reach', 'FL', '331'), (8, 'Copperfield', 'OH', '441'),
  (9, 'Lake Ottilie', 'MI', '482'), (10, 'Prairie Down', 'IL', '606'), (11, 'Dunmore', 'WI', '532'),
  (12, 'Fort Meridian', 'MN', '554'), (13, 'Cedar Landing', 'MO', '631'), (14, 'Los Alamitos', 'TX', '770'),
  (15, 'Red Mesa', 'AZ', '850'), (16, 'Silver Basin', 'CO', '802'), (17, 'Cannery Point', 'CA', '941'),
  (18, 'Oso Verde', 'CA', '900'), (19, 'Rainwater', 'WA', '981'), (20, 'Little Coldbrook', 'NH', '036'),
  (21, 'Hollis Notch', 'VT', '059'), (22, 'Stillwater Flat', 'WY', '821'), (23, 'Tres Piedras', 'NM', '878'),
  (24, 'Sandhill', 'NE', '692'), (25, 'Ironwood Ridge', 'MN', '556');
