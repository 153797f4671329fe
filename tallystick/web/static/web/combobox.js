// Comboboxes: a field whose suggestions the server writes into the list beside it. Arrows choose,
// Enter takes, Escape closes; what is typed without a choice stays what it is.
"use strict"

const parts = (combo) => ({
  field: combo.querySelector("[role=combobox]"),
  list: combo.querySelector("[role=listbox]"),
  chosen: combo.querySelector("[data-chosen]"),
})
const options = (list) => [...list.querySelectorAll("[role=option]:not([aria-disabled])")]

function show(combo, open) {
  const { field, list } = parts(combo)
  list.hidden = !open
  field.setAttribute("aria-expanded", String(open))
  if (!open) mark(combo, null)
}

function mark(combo, option) {
  const { field, list } = parts(combo)
  for (const each of options(list)) each.setAttribute("aria-selected", String(each === option))
  if (option) {
    field.setAttribute("aria-activedescendant", option.id)
    option.scrollIntoView({ block: "nearest" })
  } else field.removeAttribute("aria-activedescendant")
}

function step(combo, by) {
  const { list } = parts(combo)
  const all = options(list)
  if (!all.length) return
  show(combo, true)
  const here = all.findIndex((option) => option.getAttribute("aria-selected") === "true")
  mark(combo, all[here < 0 && by < 0 ? all.length - 1 : (here + by + all.length) % all.length])
}

function take(combo, option) {
  const { field, chosen } = parts(combo)
  field.value = option.dataset.text
  chosen.value = option.dataset.value
  show(combo, false)
  if (combo.dataset.choose === "client") takeClient(combo, option.dataset)
  else takeProduct(combo, option.dataset)
  field.dispatchEvent(new Event("change", { bubbles: true }))
}

function takeClient(combo, { hint, website, currency }) {
  const form = combo.closest("form")
  combo.querySelector("[id$=-hint]").textContent = hint
  const moved = form.elements.for.value !== website
  form.elements.for.value = website
  if (form.elements.website) form.elements.website.value = website
  form.elements.currency.value = currency
  if (moved) reload(form)
}

function takeProduct(combo, { price, currency, tax }) {
  const line = combo.closest(".line")
  const form = combo.closest("form")
  if (form.elements.currency.value === currency) line.querySelector("[name=price]").value = price
  const rate = line.querySelector("[name=tax]")
  if (tax) rate.value = tax
  line.querySelector("[name=quantity]").focus()
}

// Another website has other tax rates: the lines are written anew by the server.
function reload(form) {
  htmx.ajax("POST", form.getAttribute("action"), {
    source: form,
    target: "#w-lines",
    select: "#w-lines",
    swap: "outerHTML",
  })
}

document.addEventListener("keydown", (event) => {
  const combo = event.target.closest?.("[data-combo]")
  if (!combo || !event.target.matches("[role=combobox]")) return
  const { list } = parts(combo)
  const marked = list.hidden ? null : list.querySelector("[aria-selected=true]")
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault()
    step(combo, event.key === "ArrowDown" ? 1 : -1)
  } else if (event.key === "Enter" && marked) {
    event.preventDefault()
    take(combo, marked)
  } else if (event.key === "Escape" && !list.hidden) {
    event.preventDefault()
    show(combo, false)
  } else if (event.key === "Tab" && marked) take(combo, marked)
})

document.addEventListener("input", (event) => {
  const combo = event.target.closest?.("[data-combo]")
  if (combo && event.target.matches("[role=combobox]")) parts(combo).chosen.value = ""
})

// The field keeps the focus while the pointer chooses.
document.addEventListener("mousedown", (event) => {
  if (event.target.closest?.("[data-combo] [role=option]")) event.preventDefault()
})
document.addEventListener("click", (event) => {
  const option = event.target.closest?.("[data-combo] [role=option]:not([aria-disabled])")
  if (option) take(option.closest("[data-combo]"), option)
})
document.addEventListener("focusout", (event) => {
  const combo = event.target.closest?.("[data-combo]")
  if (combo && !combo.contains(event.relatedTarget)) show(combo, false)
})

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-website]")) return
  const form = event.target.form
  form.elements.for.value = event.target.value
  form.elements.client.value = ""
  form.elements.client_q.value = ""
  reload(form)
})

document.addEventListener("htmx:afterSwap", (event) => {
  const list = event.detail.target
  if (!list.matches?.("[role=listbox]")) return
  const combo = list.closest("[data-combo]")
  show(combo, list.children.length > 0 && combo.contains(document.activeElement))
})
