// Keys of the staff pages: / search, j and k through the rows, x selects, n new invoice, ? this list.
"use strict"

const NEW_INVOICE = "/staff/invoices/new/"
const help = document.getElementById("keys")

function isTyping(target) {
  if (target.type === "checkbox" || target.type === "radio") return false
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
}

function step(by) {
  const links = [...document.querySelectorAll("[data-row] a[data-open]")]
  const row = document.activeElement.closest("[data-row]")
  const here = links.findIndex((link) => row && row.contains(link))
  const next = here < 0 ? (by > 0 ? 0 : links.length - 1) : here + by
  if (links[next]) links[next].focus()
}

const keys = {
  "/": () => document.querySelector('[data-key="/"]')?.select(),
  j: () => step(1),
  k: () => step(-1),
  x: () => document.activeElement.closest("[data-row]")?.querySelector("input[type=checkbox]")?.click(),
  n: () => location.assign(document.querySelector("[data-new]")?.href ?? NEW_INVOICE),
  "?": () => help?.showModal(),
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
  if (help?.open || !Object.hasOwn(keys, event.key)) return
  event.preventDefault()
  keys[event.key]()
})

for (const button of document.querySelectorAll("[data-help]")) {
  button.hidden = false
  button.addEventListener("click", () => help?.showModal())
}

// One menu at a time, and none after a click elsewhere or Escape.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]"))
    if (!menu.contains(event.target)) menu.open = false
})
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.activeElement.closest("details.menu[open]")
  if (!menu) return
  menu.open = false
  menu.querySelector("summary").focus()
})

// Copying: what stands in data-copy. Without a clipboard the button does not appear.
function copies(root) {
  for (const button of root.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) continue
    button.hidden = false
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy)
      const before = button.textContent
      button.textContent = button.dataset.copied
      setTimeout(() => { button.textContent = before }, 1500)
    })
  }
}
copies(document)

// How many rows are selected, and all of them at once.
function counts() {
  const boxes = [...document.querySelectorAll("input[data-pick]")]
  const chosen = boxes.filter((box) => box.checked).length
  for (const place of document.querySelectorAll("[data-picked]")) place.textContent = chosen
  const all = document.querySelector("input[data-pick-all]")
  if (!all) return
  all.hidden = false
  all.checked = chosen > 0 && chosen === boxes.length
  all.indeterminate = chosen > 0 && chosen < boxes.length
}
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-pick-all]"))
    for (const box of document.querySelectorAll("input[data-pick]")) box.checked = event.target.checked
  if (event.target.matches("[data-pick-all], [data-pick]")) counts()
})
document.addEventListener("htmx:afterSwap", (event) => {
  counts()
  copies(event.detail.elt)
})
counts()

// On a phone the navigation is wider than the screen: show where one is.
document.querySelector(".desk-nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" })
