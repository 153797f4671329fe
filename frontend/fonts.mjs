// Cuts the faces to what is set with them: woff2 for pages, TrueType for documents.
// Hanken Grotesk: its figures are tabular by design, and as wide in semibold as in regular.
// Noto Sans stands in, in documents only, for names in scripts that Hanken does not have.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import subset from "subset-font"

const [pages, documents] = [
  process.argv[2] ?? "../tallystick/web/static/web/fonts/",
  process.argv[3] ?? "../tallystick/billing/look/fonts/",
].map((path) => new URL(path, import.meta.url))
const source = (name) => new URL(`node_modules/@fontsource/${name}`, import.meta.url)

const range = (first, last) =>
  String.fromCodePoint(...Array.from({ length: last - first + 1 }, (_, i) => first + i))

const HANKEN = {
  // ASCII and Latin-1, then dashes, quotes, bullet, ellipsis, euro, trade mark, minus.
  latin: range(0x20, 0x7e) + range(0xa0, 0xff) + "ıŒœ–—‘’‚“”„•…‹›€™−",
  "latin-ext": range(0x100, 0x130) + range(0x132, 0x151) + range(0x154, 0x17f) + "ȘșȚțẞ₫₱₴₸₺₽",
}
const NOTO = [
  ["noto-sans", "greek", [400, 600], range(0x370, 0x3ff)],
  ["noto-sans", "cyrillic", [400, 600], range(0x400, 0x45f) + "Ґґ№"],
  ["noto-sans-hebrew", "hebrew", [400], range(0x5b0, 0x5f4)],
  ["noto-sans-arabic", "arabic", [400], range(0x600, 0x6ff)],
]

const covered = new Set()

for (const folder of [pages, documents]) mkdirSync(folder, { recursive: true })
for (const [part, characters] of Object.entries(HANKEN))
  for (const weight of [400, 600]) {
    await cut("hanken-grotesk", part, weight, characters, "woff2", pages)
    await cut("hanken-grotesk", part, weight, characters, "truetype", documents)
  }
for (const [face, part, weights, characters] of NOTO)
  for (const weight of weights) await cut(face, part, weight, characters, "truetype", documents)

writeFileSync(new URL("coverage.json", documents), JSON.stringify(ranges([...covered])) + "\n")
licence(pages, ["hanken-grotesk"])
licence(documents, ["hanken-grotesk", ...new Set(NOTO.map(([face]) => face))])

async function cut(face, part, weight, characters, targetFormat, folder) {
  const whole = readFileSync(source(`${face}/files/${face}-${part}-${weight}-normal.woff2`))
  // typst picks one file of a family and weight for a space that stands alone, and looks no further.
  const font = await subset(whole, ` \u00a0${characters}`, { targetFormat })
  const ending = targetFormat === "woff2" ? "woff2" : "ttf"
  writeFileSync(new URL(`${face}-${part}-${weight}.${ending}`, folder), font)
  if (ending === "ttf") for (const character of charactersOf(font)) covered.add(character)
}

// The code points of a TrueType font: its character map of format 4.
function charactersOf(font) {
  const tables = Array.from({ length: font.readUInt16BE(4) }, (_, i) => 12 + 16 * i)
  const cmap = font.readUInt32BE(tables.find((at) => font.toString("latin1", at, at + 4) === "cmap") + 8)
  const maps = Array.from({ length: font.readUInt16BE(cmap + 2) }, (_, i) => cmap + font.readUInt32BE(cmap + 8 + 8 * i))
  const map = maps.find((at) => font.readUInt16BE(at) === 4)
  const segments = font.readUInt16BE(map + 6) / 2
  const found = []
  for (let i = 0; i < segments; i++) {
    const last = font.readUInt16BE(map + 14 + 2 * i)
    const first = font.readUInt16BE(map + 16 + 2 * segments + 2 * i)
    for (let character = first; character <= last && character < 0xffff; character++) found.push(character)
  }
  return found
}

function ranges(characters) {
  return characters.sort((a, b) => a - b).reduce((all, character) => {
    if (all.length && all.at(-1)[1] === character - 1) all.at(-1)[1] = character
    else all.push([character, character])
    return all
  }, [])
}

function licence(folder, faces) {
  const texts = faces.map((face) => readFileSync(source(`${face}/LICENSE`), "utf8"))
  const copyrights = texts.map((text) => text.split("\n")[0])
  writeFileSync(new URL("OFL.txt", folder), [...copyrights, ...texts[0].split("\n").slice(1)].join("\n"))
}
