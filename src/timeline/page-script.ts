/** Makes the chart wider, and shows the text of a bar when it is pointed at or focused. The page works without it. */
export const script = `'use strict'
const one = (id) => document.getElementById(id)
const plot = one('plot'), scroll = one('scroll'), detail = one('detail')
const bars = [...plot.querySelectorAll('button.bar')]
let zoom = 1
const setZoom = (next) => {
  const middle = (scroll.scrollLeft + scroll.clientWidth / 2) / plot.scrollWidth
  zoom = Math.min(64, Math.max(1, next))
  plot.style.setProperty('--zoom', zoom)
  plot.classList.toggle('fine', zoom >= 4)
  scroll.scrollLeft = middle * plot.scrollWidth - scroll.clientWidth / 2
}
document.querySelector('.zoom').hidden = false
one('in').onclick = () => setZoom(zoom * 2)
one('out').onclick = () => setZoom(zoom / 2)
one('fit').onclick = () => setZoom(1)
scroll.addEventListener('wheel', (event) => {
  if (!event.ctrlKey) return
  event.preventDefault()
  setZoom(event.deltaY < 0 ? zoom * 2 : zoom / 2)
}, { passive: false })
for (const bar of plot.querySelectorAll('[title]')) {
  if (bar.tagName === 'BUTTON') bar.setAttribute('aria-label', bar.title)
}
const show = (bar) => {
  detail.hidden = false
  detail.textContent = bar.getAttribute('title')
}
let current = bars[0]
if (current) current.tabIndex = 0
const focus = (bar) => {
  if (!bar) return
  current.tabIndex = -1
  current = bar
  bar.tabIndex = 0
  bar.focus()
}
const tracks = [...new Set(bars.map((bar) => bar.parentElement))]
const nearest = (track, bar) => {
  const left = bar.getBoundingClientRect().left
  const far = (other) => Math.abs(other.getBoundingClientRect().left - left)
  return track && [...track.querySelectorAll('button.bar')].sort((a, b) => far(a) - far(b))[0]
}
plot.addEventListener('focusin', ({ target }) => { if (target.matches('button.bar')) show(target) })
plot.addEventListener('pointerover', ({ target }) => {
  const titled = target.closest('[title]')
  if (titled) show(titled)
})
plot.addEventListener('click', ({ target }) => focus(target.closest('button.bar')))
plot.addEventListener('keydown', (event) => {
  const at = bars.indexOf(current), row = tracks.indexOf(current.parentElement)
  const next = {
    ArrowRight: () => bars[at + 1],
    ArrowLeft: () => bars[at - 1],
    ArrowDown: () => nearest(tracks[row + 1], current),
    ArrowUp: () => nearest(tracks[row - 1], current),
    Home: () => bars[0],
    End: () => bars[bars.length - 1],
  }[event.key]
  if (!next || !event.target.matches('button.bar')) return
  event.preventDefault()
  focus(next())
})
`
