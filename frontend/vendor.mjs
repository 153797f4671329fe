// Scripts of others that the pages load, as they come, with their licence.
import { copyFileSync } from "node:fs"

const scripts = new URL(process.argv[2] ?? "../tallystick/web/static/web/", import.meta.url)
const htmx = new URL("node_modules/htmx.org/", import.meta.url)

copyFileSync(new URL("dist/htmx.min.js", htmx), new URL("htmx.min.js", scripts))
copyFileSync(new URL("LICENSE", htmx), new URL("htmx.LICENSE.txt", scripts))
