/// What makes the figure answer the pointer: a crosshair through all charts, with the values under it.
enum ReportScript {
    static let text = """
        /*<![CDATA[*/
        (function () {
          "use strict";
          var svg = document.getElementById("figure");
          if (!svg) { return; }
          var data = JSON.parse(document.getElementById("data").textContent);
          var cross = document.getElementById("cross");
          var clock = document.getElementById("clock");
          var clockText = document.getElementById("clockText");
          var readings = data.series.map(function (series) {
            return { series: series, text: document.getElementById(series.id) };
          });
          var lanes = data.lanes.map(function (lane) {
            return { states: lane.states, text: document.getElementById(lane.id) };
          });

          // The place of the last time that is not behind `time`.
          function place(times, time) {
            var low = 0, high = times.length - 1, found = -1;
            while (low <= high) {
              var middle = (low + high) >> 1;
              if (times[middle] <= time) { found = middle; low = middle + 1; } else { high = middle - 1; }
            }
            return found;
          }
          function digits(value) {
            var size = Math.abs(value);
            if (size >= 100 || value === Math.round(value)) { return value.toFixed(0); }
            return value.toFixed(size >= 10 ? 1 : 2);
          }
          function words(value, unit) {
            if (value === null || value === undefined) { return "–"; }
            if (unit !== "bit/s") { return digits(value) + " " + unit; }
            var steps = [[1e9, "Gbit/s"], [1e6, "Mbit/s"], [1e3, "kbit/s"]];
            for (var index = 0; index < steps.length; index += 1) {
              if (value >= steps[index][0]) { return digits(value / steps[index][0]) + " " + steps[index][1]; }
            }
            return digits(value) + " bit/s";
          }
          function show(time) {
            var x = data.left + time / data.end * data.width;
            cross.setAttribute("x1", x);
            cross.setAttribute("x2", x);
            var middle = Math.min(Math.max(x, data.left + 34), data.left + data.width - 34);
            clock.setAttribute("x", middle - 34);
            clockText.setAttribute("x", middle);
            clockText.textContent = time.toFixed(data.end > 200 ? 1 : 2) + " s";
            [cross, clock, clockText].forEach(function (part) { part.removeAttribute("visibility"); });
            readings.forEach(function (reading) {
              var series = reading.series;
              var at = place(series.times, time);
              // Behind its last value, or in front of its first, a series says nothing.
              var isStale = at < 0 || (at === series.times.length - 1 && time - series.times[at] > series.step * 3);
              reading.text.textContent = isStale ? "–" : words(series.values[at], series.unit);
            });
            lanes.forEach(function (lane) {
              var now = "";
              lane.states.forEach(function (state) {
                if (state.start <= time && time <= state.end) { now = state.name; }
              });
              lane.text.textContent = now;
            });
          }
          function hide() {
            [cross, clock, clockText].forEach(function (part) { part.setAttribute("visibility", "hidden"); });
            readings.forEach(function (reading) { reading.text.textContent = ""; });
            lanes.forEach(function (lane) { lane.text.textContent = ""; });
          }
          function follow(event) {
            var box = svg.getBoundingClientRect();
            var x = (event.clientX - box.left) * svg.viewBox.baseVal.width / box.width;
            var time = (x - data.left) / data.width * data.end;
            if (time < 0 || time > data.end) { hide(); } else { show(time); }
          }
          svg.addEventListener("pointermove", follow);
          svg.addEventListener("pointerdown", follow);
          svg.addEventListener("pointerleave", hide);
          // `report.html#t=20.5` opens with the crosshair there.
          var wanted = /^#t=([0-9.]+)$/.exec(location.hash);
          if (wanted) { show(Math.min(parseFloat(wanted[1]), data.end)); }
        })();
        /*]]>*/
        """
}
