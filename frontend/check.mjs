// Builds everything anew and compares: what is committed must be what the sources make.
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const here = fileURLToPath(new URL(".", import.meta.url))
const fresh = mkdtempSync(join(tmpdir(), "tallystick-"))
const committed = {
  pages: join(here, "../tallystick/web/static/web/fonts/"),
  documents: join(here, "../tallystick/billing/look/fonts/"),
}

const tokensBefore = readFileSync(join(here, "tokens.css"))
execFileSync("node", ["tokens.mjs"], { cwd: here })
const stale = readFileSync(join(here, "tokens.css")).equals(tokensBefore) ? [] : ["tokens.css"]

const sheets = ["site.css", "desk.css"]
for (const sheet of sheets)
  execFileSync("npx", ["tailwindcss", "--input", sheet, "--output", join(fresh, sheet), "--minify"], {
    cwd: here,
    stdio: "ignore",
  })
execFileSync("node", ["fonts.mjs", `file://${fresh}/pages/`, `file://${fresh}/documents/`], { cwd: here })

execFileSync("node", ["vendor.mjs", `file://${fresh}/`], { cwd: here })

for (const name of [...sheets, "htmx.min.js", "htmx.LICENSE.txt"])
  compare(join(fresh, name), join(here, "../tallystick/web/static/web/", name))
for (const [part, folder] of Object.entries(committed))
  for (const name of readdirSync(join(fresh, part))) compare(join(fresh, part, name), join(folder, name))
rmSync(fresh, { recursive: true })

if (stale.length) {
  console.error(`Not what the sources make: ${stale.join(", ")}. Run npm run build and commit.`)
  process.exit(1)
}
console.log("Stylesheet, fonts and vendored scripts are what the sources make.")

function compare(made, kept) {
  if (!readFileSync(made).equals(readFileSync(kept))) stale.push(kept)
}
