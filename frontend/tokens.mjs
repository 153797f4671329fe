// The tokens as CSS custom properties: light, and dark where the reader's system is.
import { readFileSync, writeFileSync } from "node:fs"

const source = new URL("../tallystick/billing/look/tokens.json", import.meta.url)
const tokens = JSON.parse(readFileSync(source, "utf8"))
const properties = (theme) => Object.entries(theme).map(([name, value]) => `--${name}:${value};`).join("")

writeFileSync(
  new URL("tokens.css", import.meta.url),
  `:root{color-scheme:light dark;${properties(tokens.light)}}\n` +
    `@media (prefers-color-scheme:dark){:root{${properties(tokens.dark)}}}\n`,
)
