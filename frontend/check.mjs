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

execFileSync("npx", ["tailwindcss", "--input", "site.css", "--output", join(fresh, "site.css"), "--minify"], {
  cwd: here,
  stdio: "ignore",
})
execFileSync("node", ["fonts.mjs", `file://${fresh}/pages/`, `file://${fresh}/documents/`], { cwd: here })

compare(join(fresh, "site.css"), join(here, "../tallystick/web/static/web/site.css"))
for (const [part, folder] of Object.entries(committed))
  for (const name of readdirSync(join(fresh, part))) compare(join(fresh, part, name), join(folder, name))
rmSync(fresh, { recursive: true })

if (stale.length) {
  console.error(`Not what the sources make: ${stale.join(", ")}. Run npm run build and commit.`)
  process.exit(1)
}
console.log("Stylesheet and fonts are what the sources make.")

function compare(made, kept) {
  if (!readFileSync(made).equals(readFileSync(kept))) stale.push(kept)
}
